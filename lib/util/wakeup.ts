/**
 * A bell with a memory: rung while nobody waits, the next wait ends at once. Also rings by itself at a set time.
 *
 * Promises: of several times asked for the earliest counts; a wait leaves nothing behind, on the clock or on the signal.
 */
import type { Clock } from "./clock.ts";

export class Wakeup {
  readonly #clock: Clock;
  #rung = false;
  #waiting: (() => void) | undefined;
  #alarms = new Set<() => void>();
  #nextMs = Infinity;

  constructor(clock: Clock) { this.#clock = clock; }

  ring(): void {
    this.#rung = true;
    this.#waiting?.();
  }

  /** Rings in `ms`, unless it rings sooner anyway. */
  ringIn(ms: number): void {
    const dueMs = this.#clock.monotonicMs() + ms;
    if (dueMs >= this.#nextMs) return;
    this.#nextMs = dueMs;
    const cancel = this.#clock.after(ms, () => { this.#alarms.delete(cancel); this.ring(); });
    this.#alarms.add(cancel);
  }

  /** Resolves when rung, or when `signal` aborts; one waits at a time. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting = () => { signal.removeEventListener("abort", resolveNow); resolve(); };
        const resolveNow = (): void => resolve();
        signal.addEventListener("abort", resolveNow, { once: true });
      });
    }
    this.#waiting = undefined;
    this.#rung = false;
    for (const cancel of this.#alarms) cancel();
    this.#alarms.clear();
    this.#nextMs = Infinity;
  }
}
