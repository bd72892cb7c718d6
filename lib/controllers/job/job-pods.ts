/**
 * What the controller reads off a Job's pod: its index, whether it still counts, when it ended. Pure.
 * Counterpart: kubernetes `pkg/controller/job` indexed_job_utils.go, backoff_utils.go and isPodFailed.
 */
import { isSidecar } from "../../api/helpers/pod-resources.ts";
import { isPodTerminal, isPodTerminating, podCondition } from "../../api/helpers/pod-status.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import type { ContainerStatus, Job, Pod } from "../../api/schema/generated/models.ts";

/** Holds a pod back until it is counted. */
export const TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking";
/** Annotation and label of a pod of an Indexed Job. */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";
export const INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count";
export const INDEX_IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count";
const INT32_MAX = 2_147_483_647;

export const isIndexed = (job: Job): boolean => job.spec.completionMode === "Indexed";
export const isSuspended = (job: Job): boolean => job.spec.suspend === true;
export const hasLimitPerIndex = (job: Job): boolean => isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined;
/** Pods on their way out are replaced only once they have ended. */
export const replacesOnlyFailed = (job: Job): boolean => job.spec.podReplacementPolicy === "Failed" || job.spec.podFailurePolicy !== undefined;

export const jobCondition = (job: Job, type: string) => job.status?.conditions?.find((condition) => condition.type === type);
export const isFinished = (job: Job): boolean => jobCondition(job, "Complete")?.status === "True" || jobCondition(job, "Failed")?.status === "True";

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true;

/** Undefined when it has none, or none that makes sense. */
export function completionIndex(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX];
  return text !== undefined && /^\+?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** The pod's index if the Job still asks for it. */
export function validIndex(job: Job, pod: Pod): number | undefined {
  const index = completionIndex(pod);
  return index !== undefined && index < (job.spec.completions ?? 0) ? index : undefined;
}

/** A pod that was deleted counts as failed too, unless only ended ones are replaced: an orphan may never reach its end. */
export function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === "Failed") return true;
  return !replacesOnlyFailed(job) && isPodTerminating(pod) && pod.status?.phase !== "Succeeded";
}

/** On its way out and not yet ended. */
export const isLeaving = (pod: Pod): boolean => isPodTerminating(pod) && !isPodTerminal(pod);

function count(pod: Pod, annotation: string): number {
  const text = pod.metadata.annotations?.[annotation];
  const value = text !== undefined && /^\+?\d{1,15}$/.test(text) ? Number(text) : 0;
  return value <= INT32_MAX ? value : 0;
}
/** Failures of the pod's index before this pod that counted, and those a policy ignored. */
export const indexFailures = (pod: Pod): number => count(pod, INDEX_FAILURES);
export const indexIgnoredFailures = (pod: Pod): number => count(pod, INDEX_IGNORED_FAILURES);
export const allIndexFailures = (pod: Pod): number => indexFailures(pod) + indexIgnoredFailures(pod);

/** When the pod ended: as its containers say, else when it stopped being ready, else when it was to be gone, else when it was made. */
export function finishedMs(pod: Pod): number {
  const { metadata, spec, status } = pod, ready = podCondition(pod, "Ready");
  const sidecars = new Set((spec.initContainers ?? []).filter(isSidecar).map((container) => container.name));
  const byContainers = latestEnd([...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name))]);
  if (byContainers !== undefined) return byContainers;
  const unreadyMs = ready?.status === "False" ? timestampMs(ready.lastTransitionTime) : undefined;
  if (unreadyMs !== undefined) return unreadyMs;
  const deletedMs = timestampMs(metadata.deletionTimestamp);
  if (deletedMs !== undefined) return deletedMs - (metadata.deletionGracePeriodSeconds ?? 0) * 1_000;
  return timestampMs(metadata.creationTimestamp) ?? 0;
}

/** Undefined while one of them runs. */
function latestEnd(statuses: readonly ContainerStatus[]): number | undefined {
  const ends = statuses.map((status) => timestampMs(status.state?.terminated?.finishedAt));
  return ends.length === 0 || ends.includes(undefined) ? undefined : Math.max(...ends as number[]);
}
