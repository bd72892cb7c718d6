/**
 * Deciding for one Job: how far it is, whether that ends it, and which pods to make or delete. Pure.
 * Counterpart: syncJob and manageJob in kubernetes `pkg/controller/job/job_controller.go`.
 */
import { isPodActive } from "../../api/helpers/pod-status.ts";
import { timestampMs, toTimestamp } from "../../api/helpers/timestamps.ts";
import { compareForDeletion } from "../shared/pod-rank.ts";
import { IndexRanges } from "./index-ranges.ts";
import { allIndexFailures, completionIndex, finishedMs, hasLimitPerIndex, indexFailures, isFailed, isIndexed, isLeaving, isSuspended, isTracked, jobCondition, replacesOnlyFailed, validIndex } from "./job-pods.ts";
import { nextBackoff, remainingBackoffMs, remainingIndexBackoffMs, type BackoffRecord } from "./plan-backoff.ts";
import { judgeFailure, matchSuccessPolicy } from "./plan-policies.ts";
import type { Job, JobCondition, Pod } from "../../api/schema/generated/models.ts";

/** At most so many pods are made or deleted in one go. */
export const PODS_AT_ONCE = 500;

/** A Job with its pods as they are known. */
export interface JobView {
  readonly job: Job;
  readonly pods: readonly Pod[];
  /** Uids of pods that were let go, though their copies here may not show it yet. */
  readonly released: ReadonlySet<string>;
  readonly backoff: BackoffRecord;
}

/** What follows from a view. */
export interface Assessment {
  readonly active: readonly Pod[];
  readonly terminating: number;
  /** Counted ones and those about to be. */
  readonly succeeded: number;
  readonly failed: number;
  readonly backoff: BackoffRecord;
  /** Indexes the status names already, and with the pods of now. */
  readonly countedIndexes: IndexRanges;
  readonly succeededIndexes: IndexRanges;
  readonly failedIndexes: IndexRanges | undefined;
  /** Failed pods that must stay until they are replaced, since they tell how often their index failed. */
  readonly kept: ReadonlyMap<number, Pod>;
  /** Why the Job is over: FailureTarget, SuccessCriteriaMet, or Failed when it was a target before. */
  readonly finished: JobCondition | undefined;
}

export type PodPlan =
  | { readonly kind: "settled" }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "delete"; readonly pods: readonly Pod[] }
  /** `indexes` has `count` members, or is empty for a Job without. */
  | { readonly kind: "create"; readonly count: number; readonly indexes: readonly number[] };

export function newCondition(type: string, reason: string, message: string, now: Date, status = "True"): JobCondition {
  const at = toTimestamp(now);
  return { type, status, lastProbeTime: at, lastTransitionTime: at, ...(reason === "" ? {} : { reason }), ...(message === "" ? {} : { message }) };
}

/** Its pods have done what was asked. */
export const completionsReached = (now: Date): JobCondition => newCondition("SuccessCriteriaMet", "CompletionsReached", "Reached expected number of succeeded pods", now);

/** Pods that still count: not yet counted in the status, and with a valid index if the Job has indexes. */
function validPods({ job, pods, released }: JobView, uncounted: readonly string[]): Pod[] {
  return pods.filter((pod) => {
    const uid = pod.metadata.uid ?? "";
    return isTracked(pod) && !uncounted.includes(uid) && !released.has(uid) && (!isIndexed(job) || validIndex(job, pod) !== undefined);
  });
}

export function assessJob(view: JobView, now: Date): Assessment {
  const { job, pods } = view, { status } = job, uncounted = status?.uncountedTerminatedPods ?? {};
  const newSucceeded = validPods(view, uncounted.succeeded ?? []).filter((pod) => pod.status?.phase === "Succeeded");
  const newFailed = validPods(view, uncounted.failed ?? []).filter((pod) => isFailed(pod, job));
  const failed = (status?.failed ?? 0) + newFailed.filter((pod) => judgeFailure(job, pod).counts).length + (uncounted.failed?.length ?? 0);
  const active = pods.filter(isPodActive), indexes = assessIndexes(view, active);
  return {
    active, terminating: pods.filter(isLeaving).length, failed,
    succeeded: isIndexed(job) ? indexes.succeededIndexes.count : (status?.succeeded ?? 0) + newSucceeded.length + (uncounted.succeeded?.length ?? 0),
    backoff: nextBackoff(view.backoff, newSucceeded, newFailed), ...indexes,
    finished: earlierEnd(job, pods, now) ?? overLimit(job, pods, failed, now) ?? indexEnd(job, indexes, now),
  };
}

type Indexes = Pick<Assessment, "countedIndexes" | "succeededIndexes" | "failedIndexes" | "kept">;
function assessIndexes(view: JobView, active: readonly Pod[]): Indexes {
  const { job, pods } = view, completions = job.spec.completions ?? 0;
  if (!isIndexed(job)) return { countedIndexes: IndexRanges.NONE, succeededIndexes: IndexRanges.NONE, failedIndexes: undefined, kept: new Map() };
  const indexesOf = (test: (pod: Pod) => boolean): number[] => pods.filter((pod) => isTracked(pod) && validIndex(job, pod) !== undefined && test(pod)).map((pod) => validIndex(job, pod)!);
  const countedIndexes = IndexRanges.parse(job.status?.completedIndexes ?? "", completions);
  const succeededIndexes = countedIndexes.with(indexesOf((pod) => pod.status?.phase === "Succeeded"));
  if (!hasLimitPerIndex(job)) return { countedIndexes, succeededIndexes, failedIndexes: undefined, kept: new Map() };
  const failedIndexes = IndexRanges.parse(job.status?.failedIndexes ?? "", completions).with(indexesOf((pod) => isIndexFailed(job, pod)));
  return { countedIndexes, succeededIndexes, failedIndexes, kept: podsToKeep(view, succeededIndexes.union(failedIndexes).with(indexesIn(active))) };
}

const indexesIn = (pods: readonly Pod[]): number[] => pods.map(completionIndex).filter((index) => index !== undefined);

/** Whether this failed pod was the last its index may have. */
function isIndexFailed(job: Job, pod: Pod): boolean {
  if (!isFailed(pod, job)) return false;
  const { action, counts } = judgeFailure(job, pod);
  return action === "FailIndex" || (counts && indexFailures(pod) >= (job.spec.backoffLimitPerIndex ?? 0));
}

function podsToKeep(view: JobView, settled: IndexRanges): Map<number, Pod> {
  const kept = new Map<number, Pod>();
  for (const pod of validPods(view, [])) {
    const index = completionIndex(pod)!, before = kept.get(index);
    if (!isFailed(pod, view.job) || settled.has(index)) continue;
    if (before === undefined || (allIndexFailures(before) <= allIndexFailures(pod) && finishedMs(pod) >= finishedMs(before))) kept.set(index, pod);
  }
  return kept;
}

/** An end that was found before, or that a pod's failure brings by the policy. */
function earlierEnd(job: Job, pods: readonly Pod[], now: Date): JobCondition | undefined {
  const met = jobCondition(job, "SuccessCriteriaMet"), target = jobCondition(job, "FailureTarget");
  if (met?.status === "True") return met;
  if (target?.status === "True") return newCondition("Failed", target.reason ?? "", target.message ?? "", now);
  if (job.spec.podFailurePolicy === undefined) return undefined;
  const message = pods.filter((pod) => isFailed(pod, job)).map((pod) => judgeFailure(job, pod).failJobMessage).find((text) => text !== undefined);
  return message === undefined ? undefined : newCondition("FailureTarget", "PodFailurePolicy", message, now);
}

function overLimit(job: Job, pods: readonly Pod[], failed: number, now: Date): JobCondition | undefined {
  if (failed > (job.spec.backoffLimit ?? 0) || restartedTooOften(job, pods)) return newCondition("FailureTarget", "BackoffLimitExceeded", "Job has reached the specified backoff limit", now);
  if (untilDeadlineMs(job, now) === 0) return newCondition("FailureTarget", "DeadlineExceeded", "Job was active longer than specified deadline", now);
  return undefined;
}

/** Containers that restart in their pods count as pods do. */
function restartedTooOften(job: Job, pods: readonly Pod[]): boolean {
  if (job.spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const alive = pods.filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending");
  const restarts = alive.flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]).reduce((n, { restartCount }) => n + restartCount, 0);
  const limit = job.spec.backoffLimit ?? 0;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** Undefined without a deadline, while suspended and before it began. */
export function untilDeadlineMs(job: Job, now: Date): number | undefined {
  const startMs = timestampMs(job.status?.startTime);
  if (job.spec.activeDeadlineSeconds === undefined || startMs === undefined || isSuspended(job)) return undefined;
  return Math.max(0, startMs + job.spec.activeDeadlineSeconds * 1_000 - now.getTime());
}

function indexEnd(job: Job, { succeededIndexes, failedIndexes }: Indexes, now: Date): JobCondition | undefined {
  const failed = failedIndexes?.count ?? 0, { maxFailedIndexes, completions = 0 } = job.spec;
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) return newCondition("FailureTarget", "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes", now);
  if (failed > 0 && failed + succeededIndexes.count >= completions) return newCondition("FailureTarget", "FailedIndexes", "Job has failed indexes", now);
  const message = isIndexed(job) ? matchSuccessPolicy(job, succeededIndexes) : undefined;
  return message === undefined ? undefined : newCondition("SuccessCriteriaMet", "SuccessPolicy", message, now);
}

/** Whether enough pods have succeeded: as many as asked for, or any one where no number is. `active` pods must have ended too. */
export function isComplete(job: Job, { succeeded }: Pick<Assessment, "succeeded">, active: number): boolean {
  return active === 0 && (job.spec.completions === undefined ? succeeded > 0 : succeeded >= job.spec.completions);
}

/** Which pods to make or delete for a Job that goes on. Deleting comes first; never both at once. */
export function planPods(view: JobView, assessment: Assessment, now: Date): PodPlan {
  const { job } = view, { active, succeeded } = assessment, parallelism = job.spec.parallelism ?? 1;
  if (isSuspended(job)) return active.length === 0 ? { kind: "settled" } : { kind: "delete", pods: active };
  let wanted = Math.max(0, Math.min(parallelism, (job.spec.completions ?? Infinity) - succeeded));
  if (job.spec.completions === undefined && succeeded > 0) wanted = active.length; // One has decided that all is done: let the rest end.
  const surplus = podsForRemoval(job, active, Math.max(0, active.length - wanted), now).slice(0, PODS_AT_ONCE);
  if (surplus.length > 0) return { kind: "delete", pods: surplus };
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? assessment.terminating : 0);
  if (missing <= 0) return { kind: "settled" };
  const waitMs = hasLimitPerIndex(job) ? 0 : remainingBackoffMs(assessment.backoff, now.getTime());
  if (waitMs > 0) return { kind: "wait", ms: waitMs };
  return isIndexed(job) ? planIndexes(view, assessment, Math.min(missing, PODS_AT_ONCE), now) : { kind: "create", count: Math.min(missing, PODS_AT_ONCE), indexes: [] };
}

function planIndexes({ job, pods }: JobView, { active, succeededIndexes, failedIndexes, kept }: Assessment, count: number, now: Date): PodPlan {
  const taken = succeededIndexes.with(indexesIn(active)).with(replacesOnlyFailed(job) ? indexesIn(pods.filter(isLeaving)) : []).union(failedIndexes ?? IndexRanges.NONE);
  const pending = taken.missing(count, job.spec.completions ?? 0);
  const waits = pending.map((index) => (hasLimitPerIndex(job) ? remainingIndexBackoffMs(kept.get(index), now.getTime()) : 0));
  const indexes = pending.filter((_, i) => waits[i] === 0);
  if (indexes.length > 0) return { kind: "create", count: indexes.length, indexes };
  return waits.length === 0 ? { kind: "settled" } : { kind: "wait", ms: Math.min(...waits) };
}

/** At least so many, cheapest first; of an index that has two pods, one, and every pod whose index is none. */
function podsForRemoval(job: Job, active: readonly Pod[], atLeast: number, now: Date): Pod[] {
  const cheapestFirst = active.toSorted((a, b) => compareForDeletion(a, b, () => 0, now));
  if (!isIndexed(job)) return cheapestFirst.slice(0, atLeast);
  const removed: Pod[] = [], left = new Map<number, Pod>();
  for (const pod of cheapestFirst.toReversed()) { // The dearest of an index stays.
    const index = validIndex(job, pod);
    if (index === undefined || left.has(index)) removed.push(pod);
    else left.set(index, pod);
  }
  return [...removed, ...[...left.values()].toReversed().slice(0, Math.max(0, atLeast - removed.length))];
}
