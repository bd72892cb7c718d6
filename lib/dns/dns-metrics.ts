/** Metrics of the DNS server. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { Source } from "./resolver.ts";

const ANSWER_SECONDS = [0.0001, 0.0005, 0.001, 0.005, 0.025, 0.1, 0.5, 1, 2, 5];

export class DnsMetrics {
  readonly #answers: Counter<"source">;
  readonly #seconds: Histogram<"source">;

  constructor(registry: Registry) {
    this.#answers = new Counter({ name: "kaji_dns_answers_total", help: "Answers by where they came from.", labelNames: ["source"], registers: [registry] });
    this.#seconds = new Histogram({ name: "kaji_dns_answer_duration_seconds", help: "Time from question to answer.", labelNames: ["source"], buckets: ANSWER_SECONDS, registers: [registry] });
  }

  /** Goes into the resolver as it is. */
  readonly onAnswer = (source: Source, durationMs: number): void => {
    this.#answers.inc({ source });
    this.#seconds.observe({ source }, durationMs / 1_000);
  };
}
