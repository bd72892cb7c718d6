/**
 * Time, passed in: everything that waits or stamps takes a `Clock`, so a test can age it.
 * Counterpart: k8s.io/utils/clock.
 */
import { performance } from "node:perf_hooks";

export interface Clock {
  /** Monotonic milliseconds: for durations only, never stored or sent. */
  monotonicMs(): number;
  /** Wall clock: for timestamps in API objects only. */
  now(): Date;
  /** Resolves after `ms`; rejects with an AbortError as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` once after `ms`; the returned function cancels it. Does not keep the process alive by itself. */
  after(ms: number, callback: () => void): () => void;
}

const TIMEOUT_MAX_MS = 2 ** 31 - 1; // setTimeout fires at once beyond this.

/** The machine's clock. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  now: () => new Date(),
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = (): void => { clearTimeout(timer); reject(signal!.reason as Error); };
      const timer = setTimeout(() => { signal?.removeEventListener("abort", onAbort); resolve(); }, Math.min(ms, TIMEOUT_MAX_MS));
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, TIMEOUT_MAX_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** A clock that moves only when told: `advance(ms)` fires what falls due, in order of time. */
export class ManualClock implements Clock {
  #nowMs: number;
  #monotonicMs = 0;
  #timers: { dueMs: number; fire: () => void }[] = [];
  constructor(start: Date = new Date("2026-01-01T00:00:00Z")) { this.#nowMs = start.getTime(); }
  monotonicMs(): number { return this.#monotonicMs; }
  now(): Date { return new Date(this.#nowMs); }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const cancel = this.after(ms, () => { signal?.removeEventListener("abort", onAbort); resolve(); });
      const onAbort = (): void => { cancel(); reject(signal!.reason as Error); };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { dueMs: this.#monotonicMs + ms, fire: callback };
    this.#timers.push(timer);
    return () => { this.#timers = this.#timers.filter((t) => t !== timer); };
  }
  /** Moves time forward by `ms`, firing timers in order and letting promises settle between them. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    for (;;) {
      const next = this.#timers.filter((t) => t.dueMs <= end).sort((a, b) => a.dueMs - b.dueMs)[0];
      const step = (next?.dueMs ?? end) - this.#monotonicMs;
      this.#monotonicMs += step;
      this.#nowMs += step;
      if (next === undefined) break;
      this.#timers = this.#timers.filter((t) => t !== next);
      next.fire();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
}
