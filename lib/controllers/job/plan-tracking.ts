/**
 * Counting a Job's ended pods without losing or doubling one: their uids are written into the status first, then their finalizers go,
 * and only then do the counters grow. Pure.
 *
 *   ended, finalizer ──► uid in uncountedTerminatedPods ──► finalizer gone ──► counted, uid gone
 *
 * Counterpart: trackJobStatusAndRemoveFinalizers in kubernetes `pkg/controller/job/job_controller.go`.
 */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { completionIndex, hasLimitPerIndex, isFailed, isIndexed, isTracked, validIndex } from "./job-pods.ts";
import { newCondition, type Assessment, type JobView } from "./plan-job.ts";
import { judgeFailure } from "./plan-policies.ts";
import type { Job, JobCondition, JobStatus, Pod } from "../../api/schema/generated/models.ts";

/** Beyond this many uids in a status, the next sync goes on. */
export const UNCOUNTED_PODS_MAX = 500;

export interface TrackingPlan {
  /** What the status says before any finalizer is removed. */
  readonly status: JobStatus;
  readonly statusChanged: boolean;
  /** Pods to let go once the status is written. */
  readonly release: readonly Pod[];
  /** There are more pods to count, so the Job is not over yet. */
  readonly isPartial: boolean;
  /** Complete or Failed, to be set when everything is counted. */
  readonly terminal: JobCondition | undefined;
}

/** The uids of pods whose finalizer is still there. */
export const heldUids = ({ pods, released }: JobView): Set<string> => new Set(pods.filter((pod) => isTracked(pod) && !released.has(pod.metadata.uid ?? "")).map((pod) => pod.metadata.uid ?? ""));

/** Moves uids whose finalizer is gone from the waiting lists into the counters; the same object when there is none. */
export function countReleased(status: JobStatus, held: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const heldSucceeded = succeeded.filter((uid) => held.has(uid)), heldFailed = failed.filter((uid) => held.has(uid));
  if (heldSucceeded.length === succeeded.length && heldFailed.length === failed.length) return status;
  return {
    ...status, succeeded: (status.succeeded ?? 0) + succeeded.length - heldSucceeded.length, failed: (status.failed ?? 0) + failed.length - heldFailed.length,
    uncountedTerminatedPods: lists(heldSucceeded, heldFailed),
  };
}

const lists = (succeeded: readonly string[], failed: readonly string[]) => ({ ...(succeeded.length === 0 ? {} : { succeeded: [...succeeded] }), ...(failed.length === 0 ? {} : { failed: [...failed] }) });

/** `status` is the draft so far; `finished` says that the Job is over, which makes failures of all pods still there. */
export function planTracking(view: JobView, assessment: Assessment, draft: JobStatus, finished: JobCondition | undefined, now: Date): TrackingPlan {
  const { job } = view, held = heldUids(view), waiting = draft.uncountedTerminatedPods ?? {};
  let status = countReleased(draft, held), statusChanged = status !== draft;
  const counted = status.uncountedTerminatedPods ?? {}, succeeded = [...(counted.succeeded ?? [])], failed = [...(counted.failed ?? [])], newIndexes: number[] = [], release: Pod[] = [];
  const before = succeeded.length + failed.length;
  const ordered = isIndexed(job) ? view.pods.toSorted((a, b) => (completionIndex(a) ?? -1) - (completionIndex(b) ?? -1)) : view.pods;
  let isPartial = false;
  for (const pod of ordered) {
    const uid = pod.metadata.uid ?? "", isLost = isFailed(pod, job), index = validIndex(job, pod);
    if (!held.has(uid) || !mayRelease(job, assessment, pod, isLost, finished)) continue;
    release.push(pod);
    if (pod.status?.phase === "Succeeded" && waiting.failed?.includes(uid) !== true) {
      if (!isIndexed(job)) { if (waiting.succeeded?.includes(uid) !== true) succeeded.push(uid); }
      else if (index !== undefined && !assessment.countedIndexes.has(index)) newIndexes.push(index);
    } else if ((isLost || (finished !== undefined && finished.type !== "SuccessCriteriaMet")) && waiting.failed?.includes(uid) !== true && (!isIndexed(job) || index !== undefined) && judgeFailure(job, pod).counts) failed.push(uid);
    if (newIndexes.length + succeeded.length + failed.length >= UNCOUNTED_PODS_MAX) { isPartial = true; break; }
  }
  if (succeeded.length + failed.length !== before || newIndexes.length > 0) statusChanged = true;
  status = { ...status, uncountedTerminatedPods: lists(succeeded, failed) };
  if (isIndexed(job)) {
    const fresh = withIndexes(status, assessment, newIndexes);
    if (fresh.completedIndexes !== status.completedIndexes || fresh.failedIndexes !== status.failedIndexes) statusChanged = true;
    status = fresh;
  }
  return withEnd({ status, statusChanged, release, isPartial, terminal: undefined }, finished, now);
}

/** Whether nothing more is to be learnt from the pod. */
function mayRelease(job: Job, { kept }: Assessment, pod: Pod, isLost: boolean, finished: JobCondition | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || finished !== undefined || pod.status?.phase === "Succeeded") return true;
  if (!isLost) return false;
  const index = completionIndex(pod);
  return !hasLimitPerIndex(job) || index === undefined || kept.get(index)?.metadata.uid !== pod.metadata.uid;
}

/** The indexes are their own count: a pod of one that is named is not counted again. */
function withIndexes(status: JobStatus, { succeededIndexes, failedIndexes }: Assessment, newIndexes: readonly number[]): JobStatus {
  const all = succeededIndexes.with(newIndexes), { completedIndexes: _, failedIndexes: __, ...rest } = status;
  return { ...rest, succeeded: all.count, ...(all.count === 0 ? {} : { completedIndexes: all.toString() }), ...(failedIndexes === undefined ? {} : { failedIndexes: failedIndexes.toString() }) };
}

/** An end is announced before the finalizers go (FailureTarget, SuccessCriteriaMet) and made final after. */
function withEnd(plan: TrackingPlan, finished: JobCondition | undefined, now: Date): TrackingPlan {
  if (finished === undefined) return plan;
  const { type, reason = "", message = "" } = finished, conditions = plan.status.conditions ?? [];
  if (type === "Failed") return { ...plan, terminal: finished };
  const isTold = type === "SuccessCriteriaMet" && conditions.some((condition) => condition.type === type && condition.status === "True");
  const told = isTold ? plan : { ...plan, statusChanged: true, status: { ...plan.status, conditions: [...conditions.filter((condition) => condition.type !== type), finished] } };
  return { ...told, terminal: newCondition(type === "FailureTarget" ? "Failed" : "Complete", reason, message, now) };
}

/** The status with its last word; undefined while pods are still to be counted or on their way out. */
export function planEnd(status: JobStatus, { terminal, isPartial }: Pick<TrackingPlan, "terminal" | "isPartial">, now: Date): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (terminal === undefined || isPartial || succeeded.length + failed.length > 0 || (status.terminating ?? 0) > 0) return undefined;
  return {
    ...status, conditions: setCondition(status.conditions, newCondition(terminal.type, terminal.reason ?? "", terminal.message ?? "", now)) ?? status.conditions,
    ...(terminal.type === "Complete" ? { completionTime: toTimestamp(now) } : {}),
  };
}

/** The list with the condition; undefined when it says so already. A condition that was never there is not added as False. */
export function setCondition(conditions: readonly JobCondition[] = [], fresh: JobCondition): JobCondition[] | undefined {
  const old = conditions.find(({ type }) => type === fresh.type);
  if (old === undefined) return fresh.status === "False" ? undefined : [...conditions, fresh];
  if (old.status === fresh.status && (old.reason ?? "") === (fresh.reason ?? "") && (old.message ?? "") === (fresh.message ?? "")) return undefined;
  return conditions.map((condition) => (condition === old ? fresh : condition));
}
