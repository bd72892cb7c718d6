/**
 * A bell with a memory: rung while nobody waits, the next wait ends at once. Also rings by itself at a set time.
 *
 * Promises: of several times asked for the earliest counts; a wait leaves nothing behind, on the clock or on the signal.
 */
import type { Clock } from "./clock.ts";

export class Wakeup {
  readonly #clock: Clock;
  #rung = false;
  /** A time set by `ringIn` has come. */
  #due = false;
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
    const cancel = this.#clock.after(ms, () => { this.#alarms.delete(cancel); this.#due = true; this.#waiting?.(); });
    this.#alarms.add(cancel);
  }

  /** Resolves when rung, or when `signal` aborts; one waits at a time. Tells whether somebody rang: false when only the time came. */
  async wait(signal: AbortSignal): Promise<boolean> {
    if (!this.#rung && !this.#due && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => { signal.removeEventListener("abort", end); resolve(); };
        this.#waiting = end;
        signal.addEventListener("abort", end, { once: true });
      });
    }
    const rung = this.#rung;
    this.#waiting = undefined;
    this.#rung = false;
    this.#due = false;
    for (const cancel of this.#alarms) cancel();
    this.#alarms.clear();
    this.#nextMs = Infinity;
    return rung;
  }
}
