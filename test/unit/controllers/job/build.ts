/** Builders of Jobs and their pods: only what a test is about is named. */
import { COMPLETION_INDEX, INDEX_FAILURES, TRACKING_FINALIZER } from "../../../../lib/controllers/job/job-pods.ts";
import { NO_FAILURES } from "../../../../lib/controllers/job/plan-backoff.ts";
import type { JobView } from "../../../../lib/controllers/job/plan-job.ts";
import type { Job, JobSpec, JobStatus, Pod } from "../../../../lib/api/schema/generated/models.ts";
import { at, makePod } from "../build.ts";

export function makeJob(spec: Partial<JobSpec> = {}, status: JobStatus = {}): Job {
  return {
    apiVersion: "batch/v1", kind: "Job", metadata: { name: "work", namespace: "default", uid: "uid-work", generation: 1, resourceVersion: "1" },
    spec: { parallelism: 1, completions: 1, backoffLimit: 6, completionMode: "NonIndexed", suspend: false, podReplacementPolicy: "TerminatingOrFailed", selector: { matchLabels: { job: "work" } }, template: { metadata: { name: "", labels: { job: "work" } }, spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } }, ...spec },
    status,
  };
}

export interface JobPodOptions { name?: string; phase?: string; index?: number; failures?: number; exitCode?: number; endedAt?: number; terminating?: boolean; tracked?: boolean; ready?: boolean; condition?: string }
export function makeJobPod({ phase = "Running", index, failures, exitCode, endedAt = 3_000, tracked = true, condition, ...rest }: JobPodOptions = {}): Pod {
  const pod = makePod({ ready: phase === "Running", ...rest, phase, labels: { job: "work" }, owner: { uid: "uid-work", kind: "Job", name: "work" } });
  if (tracked) pod.metadata.finalizers = [TRACKING_FINALIZER];
  if (index !== undefined) pod.metadata.annotations = { [COMPLETION_INDEX]: String(index), ...(failures === undefined ? {} : { [INDEX_FAILURES]: String(failures) }) };
  const isOver = phase === "Failed" || phase === "Succeeded";
  pod.status!.containerStatuses = [{ name: "c", image: "i", imageID: "", ready: false, restartCount: 0, ...(isOver ? { state: { terminated: { exitCode: exitCode ?? (phase === "Failed" ? 1 : 0), finishedAt: at(endedAt) } } } : {}) }];
  if (condition !== undefined) pod.status!.conditions!.push({ type: condition, status: "True" });
  return pod;
}

export const makeView = (job: Job, pods: readonly Pod[], rest: Partial<JobView> = {}): JobView => ({ job, pods, released: new Set(), backoff: NO_FAILURES, ...rest });
