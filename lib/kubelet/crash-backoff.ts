/**
 * How long a container that ended waits before it runs again: 10 s, doubling to 5 minutes, forgotten after a run of 10 minutes.
 * The first restart is at once. Pure. Counterpart: kubelet `doBackOff` with client-go `flowcontrol.Backoff`.
 *
 * Derived from the attempts CRI knows, so a restarted kubelet goes on where it was instead of starting a crash loop anew.
 */
import type { RuntimeContainer } from "./runtime-status.ts";

export const CRASH_BACKOFF_BASE_MS = 10_000, CRASH_BACKOFF_MAX_MS = 300_000;
const FORGET_AFTER_MS = 2 * CRASH_BACKOFF_MAX_MS;

/** Milliseconds that must pass after `latest` ended; `runs` are all runs of the container the runtime still knows, newest first. */
export function crashBackoffMs(runs: readonly RuntimeContainer[]): number {
  const latest = runs[0];
  if (latest === undefined || latest.attempt === 0) return 0;
  if (latest.startedAtMs > 0 && latest.finishedAtMs - latest.startedAtMs >= FORGET_AFTER_MS) return 0;
  return Math.min(CRASH_BACKOFF_BASE_MS * 2 ** Math.min(latest.attempt - 1, 16), CRASH_BACKOFF_MAX_MS);
}
