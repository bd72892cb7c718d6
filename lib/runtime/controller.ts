/**
 * Controller: workers that reconcile keys from a queue.
 *
 * Promises: work starts when every informer it reads has synced; a throw is retried with the key's backoff; a TerminalError is
 * logged and not retried; `requeueAfterMs` schedules another look; after an abort `run` settles when the last worker has.
 * Counterpart: controller-runtime `internal/controller`.
 */
import { aborted, isAbort } from "../util/abort.ts";
import { WorkQueue } from "./work-queue.ts";
import { ConnectionError } from "../client/client.ts";
import { hasReason } from "../api/status-error.ts";
import type { BackoffOptions } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import type { RuntimeMetrics } from "./metrics.ts";

export type Reconcile = (key: string, signal: AbortSignal) => Promise<{ requeueAfterMs?: number }>;

/** Trying again cannot help until the object changes. */
export class TerminalError extends Error { override readonly name = "TerminalError"; }

/** Longest wait after a lost connection. */
export const CONNECTION_RETRY_MAX_MS = 2_000;

export interface ControllerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  /** How many keys are worked on at once; 1 by default. */
  readonly workers?: number;
  /** What must have synced before the first key is taken. */
  readonly waitFor?: readonly { readonly synced: Promise<void> }[];
  readonly backoff?: BackoffOptions;
}

export class Controller implements Runnable {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #log: Logger;
  readonly #options: ControllerOptions;
  readonly #metrics: RuntimeMetrics | undefined;

  constructor(deps: { clock: Clock; log: Logger; metrics?: RuntimeMetrics | undefined }, options: ControllerOptions) {
    this.name = options.name;
    this.#options = options;
    this.#metrics = deps.metrics;
    this.#log = deps.log.child({ controller: options.name });
    this.queue = new WorkQueue({ clock: deps.clock, observer: deps.metrics?.workQueue(options.name) }, options.backoff);
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.queue.shutDown();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await Promise.race([Promise.all((this.#options.waitFor ?? []).map((i) => i.synced)), aborted(signal)]);
      if (signal.aborted) return;
      await Promise.all(Array.from({ length: this.#options.workers ?? 1 }, () => this.#work(signal)));
    } finally {
      signal.removeEventListener("abort", stop);
      this.queue.shutDown();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.next();
      if (key === undefined) return;
      try { await this.#once(key, signal); }
      finally { this.queue.done(key); }
    }
  }

  async #once(key: string, signal: AbortSignal): Promise<void> {
    try {
      const { requeueAfterMs } = await this.#options.reconcile(key, signal);
      this.queue.forget(key);
      if (requeueAfterMs !== undefined) this.queue.addAfter(key, requeueAfterMs);
      this.#metrics?.reconciled(this.name, requeueAfterMs === undefined ? "success" : "requeue_after");
    } catch (error) {
      if (isAbort(error, signal)) return;
      if (error instanceof TerminalError) {
        this.queue.forget(key);
        this.#metrics?.reconciled(this.name, "terminal");
        this.#log.error({ object: key, error }, "reconcile failed, will not retry");
        return;
      }
      const failures = this.queue.failures(key);
      // A server that was away must not leave keys waiting for a minute once it is back.
      this.queue.addRateLimited(key, error instanceof ConnectionError ? CONNECTION_RETRY_MAX_MS : undefined);
      this.#metrics?.reconciled(this.name, "error");
      // A conflict or a server that is away is the normal course of things; what lasts is told louder.
      const level = failures < 5 && (hasReason(error, "Conflict", "AlreadyExists", "NotFound") || error instanceof ConnectionError) ? "debug" : "warn";
      this.#log[level]({ object: key, error, failures: failures + 1 }, "reconcile failed, will retry");
    }
  }
}
