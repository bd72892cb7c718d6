/**
 * How long a failed daemon pod stays before it is replaced: 1 s at first on a node, doubled each time, up to 15 minutes; forgotten after twice that.
 * Counterpart: client-go `util/flowcontrol` Backoff as kubernetes `pkg/controller/daemon` uses it.
 */
import type { Clock } from "../../util/clock.ts";

const FIRST_MS = 1_000;
export const FAILED_POD_BACKOFF_MAX_MS = 900_000;

export class FailedPodBackoff {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #entries = new Map<string, { delayMs: number; sinceMs: number }>();

  constructor(clock: Pick<Clock, "monotonicMs">) { this.#clock = clock; }

  /** Milliseconds until the next removal under this key is allowed; 0 when it is. */
  remainingMs(key: string): number {
    const entry = this.#entries.get(key);
    return entry === undefined ? 0 : Math.max(0, entry.sinceMs + entry.delayMs - this.#clock.monotonicMs());
  }

  /** A pod was removed. Drops what has been quiet for long, too. */
  removed(key: string): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [other, { sinceMs }] of this.#entries) if (nowMs - sinceMs > 2 * FAILED_POD_BACKOFF_MAX_MS) this.#entries.delete(other);
    const delayMs = Math.min(FAILED_POD_BACKOFF_MAX_MS, 2 * (this.#entries.get(key)?.delayMs ?? FIRST_MS / 2));
    this.#entries.set(key, { delayMs, sinceMs: nowMs });
  }
}
