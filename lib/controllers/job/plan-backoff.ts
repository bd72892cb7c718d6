/**
 * How long a Job waits before it replaces failed pods: 10 s, doubled with each failure since the last success, up to 10 minutes. Pure.
 * Counterpart: kubernetes `pkg/controller/job/backoff_utils.go`.
 */
import { allIndexFailures, finishedMs } from "./job-pods.ts";
import type { Pod } from "../../api/schema/generated/models.ts";

export const POD_FAILURE_BACKOFF_MS = 10_000;
export const POD_FAILURE_BACKOFF_MAX_MS = 600_000;

/** Kept in memory, as upstream: a controller that starts anew forgets it. */
export interface BackoffRecord { readonly failures: number; readonly lastFailureMs: number }
export const NO_FAILURES: BackoffRecord = { failures: 0, lastFailureMs: 0 };

/** The record after these pods have ended; a success forgets the failures before it. */
export function nextBackoff(record: BackoffRecord, succeeded: readonly Pod[], failed: readonly Pod[]): BackoffRecord {
  const failures = failed.map(finishedMs);
  if (succeeded.length === 0) return failures.length === 0 ? record : { failures: record.failures + failures.length, lastFailureMs: Math.max(...failures) };
  const successMs = Math.max(...succeeded.map(finishedMs)), later = failures.filter((ms) => ms > successMs);
  return later.length === 0 ? NO_FAILURES : { failures: later.length, lastFailureMs: Math.max(...later) };
}

export function remainingBackoffMs({ failures, lastFailureMs }: BackoffRecord, nowMs: number): number {
  if (failures === 0) return 0;
  const waitMs = Math.min(POD_FAILURE_BACKOFF_MAX_MS, POD_FAILURE_BACKOFF_MS * 2 ** Math.min(failures - 1, 32));
  return Math.max(0, waitMs - (nowMs - lastFailureMs));
}

/** The same for one index, told from the pod of it that failed last. */
export const remainingIndexBackoffMs = (last: Pod | undefined, nowMs: number): number =>
  (last === undefined ? 0 : remainingBackoffMs({ failures: allIndexFailures(last) + 1, lastFailureMs: finishedMs(last) }, nowMs));
