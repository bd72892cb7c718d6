/**
 * When to sync: soon after the first change, together with those that follow at once; then no faster than the kernel can take it.
 *
 * Without a minimum period the pause after a sync is half as long as the sync took, so that changes gather and the kernel has time for packets;
 * with one (upstream's --iptables-min-sync-period) two syncs may follow each other freely and then one a period.
 * Counterpart: `async.BoundedFrequencyRunner`.
 */
import type { Clock } from "../util/clock.ts";

export interface SyncPaceOptions { readonly minPeriodMs: number; readonly gatherMs?: number }

const GATHER_MS = 5; // One write of a controller often comes as two events.
const PAUSE_SHARE = 0.5, PAUSE_MS_MAX = 1_000;
const BURST = 2;

export class SyncPace {
  readonly #clock: Clock;
  readonly #minPeriodMs: number;
  readonly #gatherMs: number;
  #notBeforeMs = 0;
  #tokens = BURST;
  #filledMs: number;

  constructor(clock: Clock, { minPeriodMs, gatherMs = GATHER_MS }: SyncPaceOptions) {
    this.#clock = clock;
    this.#minPeriodMs = minPeriodMs;
    this.#gatherMs = gatherMs;
    this.#filledMs = clock.monotonicMs();
  }

  /** Waits until the next sync may start. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#clock.sleep(Math.max(this.#gatherMs, this.#notBeforeMs - this.#clock.monotonicMs(), this.#untilTokenMs()), signal);
    this.#untilTokenMs();
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** A sync took this long. */
  took(durationMs: number): void { this.#notBeforeMs = this.#clock.monotonicMs() + Math.min(durationMs * PAUSE_SHARE, PAUSE_MS_MAX); }

  #untilTokenMs(): number {
    if (this.#minPeriodMs <= 0) return 0;
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(BURST, this.#tokens + (now - this.#filledMs) / this.#minPeriodMs);
    this.#filledMs = now;
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * this.#minPeriodMs);
  }
}
