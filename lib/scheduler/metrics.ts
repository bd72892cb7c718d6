/** The scheduler's metrics, under upstream's names. Counterpart: scheduler `metrics`. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { QueuePart } from "./queue/scheduling-queue.ts";

export type AttemptResult = "scheduled" | "unschedulable" | "error";

const SECONDS = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
/** Upstream counts pods in backoff under `backoff`, and so on. */
const QUEUES: readonly QueuePart[] = ["active", "backoff", "unschedulable", "gated"];

export class SchedulerMetrics {
  readonly #attempts: Counter<"result" | "profile">;
  readonly #attemptSeconds: Histogram<"result" | "profile">;
  readonly #algorithmSeconds: Histogram;
  readonly #podAttempts: Histogram;
  readonly #podSeconds: Histogram;
  readonly #preemptions: Counter;
  readonly #victims: Histogram;
  readonly #profile: string;

  constructor(registry: Registry, profile: string, sizes: () => Record<QueuePart, number>) {
    const registers = [registry];
    this.#profile = profile;
    this.#attempts = new Counter({ name: "scheduler_schedule_attempts_total", help: "Number of attempts to schedule pods, by the result.", labelNames: ["result", "profile"], registers });
    this.#attemptSeconds = new Histogram({ name: "scheduler_scheduling_attempt_duration_seconds", help: "Scheduling attempt latency in seconds, algorithm and binding.", labelNames: ["result", "profile"], buckets: SECONDS, registers });
    this.#algorithmSeconds = new Histogram({ name: "scheduler_scheduling_algorithm_duration_seconds", help: "Scheduling algorithm latency in seconds.", buckets: SECONDS, registers });
    this.#podAttempts = new Histogram({ name: "scheduler_pod_scheduling_attempts", help: "Number of attempts to successfully schedule a pod.", buckets: [1, 2, 4, 8, 16], registers });
    this.#podSeconds = new Histogram({ name: "scheduler_pod_scheduling_sli_duration_seconds", help: "Time from a pod's first being seen to its binding.", buckets: [0.01, ...SECONDS, 60, 300], registers });
    this.#preemptions = new Counter({ name: "scheduler_preemption_attempts_total", help: "Total preemption attempts in the cluster till now.", registers });
    this.#victims = new Histogram({ name: "scheduler_preemption_victims", help: "Number of selected preemption victims.", buckets: [1, 2, 4, 8, 16, 32, 64], registers });
    new Gauge({
      name: "scheduler_pending_pods", help: "Number of pending pods, by the part of the queue.", labelNames: ["queue"], registers,
      collect() { const now = sizes(); for (const queue of QUEUES) this.set({ queue }, now[queue]); },
    });
  }

  decided(milliseconds: number): void { this.#algorithmSeconds.observe(milliseconds / 1_000); }

  attempted(result: AttemptResult, milliseconds: number): void {
    this.#attempts.inc({ result, profile: this.#profile });
    this.#attemptSeconds.observe({ result, profile: this.#profile }, milliseconds / 1_000);
  }

  scheduled(attempts: number, milliseconds: number): void {
    this.#podAttempts.observe(attempts);
    this.#podSeconds.observe(milliseconds / 1_000);
  }

  preemptionTried(): void { this.#preemptions.inc(); }
  preempted(victims: number): void { this.#victims.observe(victims); }
}
