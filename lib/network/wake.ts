/** Wakes a loop: `wait` ends after a time, or as soon as `now` is called (also when it was called while nobody waited). */
import type { Clock } from "../util/clock.ts";

export class Wake {
  readonly #clock: Clock;
  #pending = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) { this.#clock = clock; }

  now(): void {
    this.#pending = true;
    this.#wake?.();
  }

  /** Rejects with an AbortError when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#pending) {
      const woken = new AbortController();
      this.#wake = () => woken.abort();
      try { await this.#clock.sleep(ms, AbortSignal.any([signal, woken.signal])); }
      catch (error) { if (signal.aborted || !woken.signal.aborted) throw error; }
      finally { this.#wake = undefined; }
    }
    this.#pending = false;
  }
}
