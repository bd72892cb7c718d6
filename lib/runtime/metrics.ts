/**
 * Metrics every daemon has, under upstream's names; daemons add their own to `registry`.
 * Counterpart: component-base `metrics/prometheus/{workqueue,restclient}`, client-go leader election metrics.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { RequestObservation } from "../client/http-client.ts";
import type { WorkQueueObserver } from "./work-queue.ts";

const WORK_SECONDS = [0.001, 0.01, 0.1, 1, 10, 60];
const REQUEST_SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 4, 15, 60];

export class RuntimeMetrics {
  readonly registry = new Registry();
  readonly #requests: Counter<"code" | "method" | "host">;
  readonly #requestSeconds: Histogram<"verb" | "host">;
  readonly #depth: Gauge<"name">;
  readonly #adds: Counter<"name">;
  readonly #retries: Counter<"name">;
  readonly #queueSeconds: Histogram<"name">;
  readonly #workSeconds: Histogram<"name">;
  readonly #reconciles: Counter<"controller" | "result">;
  readonly #leader: Gauge<"name">;
  readonly #processStart: Gauge;

  constructor() {
    const registers = [this.registry];
    this.#requests = new Counter({ name: "rest_client_requests_total", help: "Number of HTTP requests, partitioned by status code, method, and host.", labelNames: ["code", "method", "host"], registers });
    this.#requestSeconds = new Histogram({ name: "rest_client_request_duration_seconds", help: "Request latency in seconds.", labelNames: ["verb", "host"], buckets: REQUEST_SECONDS, registers });
    this.#depth = new Gauge({ name: "workqueue_depth", help: "Current depth of workqueue.", labelNames: ["name"], registers });
    this.#adds = new Counter({ name: "workqueue_adds_total", help: "Total number of adds handled by workqueue.", labelNames: ["name"], registers });
    this.#retries = new Counter({ name: "workqueue_retries_total", help: "Total number of retries handled by workqueue.", labelNames: ["name"], registers });
    this.#queueSeconds = new Histogram({ name: "workqueue_queue_duration_seconds", help: "How long an item stays in workqueue before being requested.", labelNames: ["name"], buckets: WORK_SECONDS, registers });
    this.#workSeconds = new Histogram({ name: "workqueue_work_duration_seconds", help: "How long processing an item from workqueue takes.", labelNames: ["name"], buckets: WORK_SECONDS, registers });
    this.#reconciles = new Counter({ name: "controller_runtime_reconcile_total", help: "Total number of reconciliations per controller and result.", labelNames: ["controller", "result"], registers });
    this.#leader = new Gauge({ name: "leader_election_master_status", help: "1 while this process leads, else 0.", labelNames: ["name"], registers });
    this.#processStart = new Gauge({ name: "process_start_time_seconds", help: "Start time of the process since unix epoch in seconds.", registers });
    this.#processStart.set(performance.timeOrigin / 1_000);
    for (const [name, help, read] of [
      ["process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss()],
      ["nodejs_heap_size_used_bytes", "Heap in use in bytes.", () => process.memoryUsage().heapUsed],
    ] as const) new Gauge({ name, help, registers, collect() { this.set(read()); } });
    new Counter({ name: "process_cpu_seconds_total", help: "Total user and system CPU time spent in seconds.", registers, collect() { this.reset(); const { user, system } = process.cpuUsage(); this.inc((user + system) / 1e6); } });
  }

  /** Goes into `createClient`'s options as it is. */
  readonly onRequest = ({ method, host, code, durationMs }: RequestObservation): void => {
    this.#requests.inc({ code, method, host });
    this.#requestSeconds.observe({ verb: method, host }, durationMs / 1_000);
  };

  workQueue(name: string): WorkQueueObserver {
    this.#depth.set({ name }, 0);
    return {
      added: (depth) => { this.#adds.inc({ name }); this.#depth.set({ name }, depth); },
      taken: (depth, waitedMs) => { this.#depth.set({ name }, depth); this.#queueSeconds.observe({ name }, waitedMs / 1_000); },
      done: (workedMs) => this.#workSeconds.observe({ name }, workedMs / 1_000),
      retried: () => this.#retries.inc({ name }),
    };
  }

  reconciled(controller: string, result: "success" | "error" | "terminal" | "requeue_after"): void { this.#reconciles.inc({ controller, result }); }

  leader(name: string, leads: boolean): void { this.#leader.set({ name }, leads ? 1 : 0); }
}
