/**
 * TTL after finished: deletes Jobs whose `ttlSecondsAfterFinished` is over, with all that is theirs.
 *
 * Promises: the Job is read live before it is deleted, so a TTL that was raised meanwhile counts.
 * Counterpart: kubernetes `pkg/controller/ttlafterfinished`.
 */
import { jobs } from "../../api/schema/generated/references.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { keyOf, splitKey } from "../../runtime/object-key.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Job } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

/** Milliseconds the Job still has; undefined when it is not to be deleted. Pure. */
export function timeLeftMs(job: Job, now: Date): number | undefined {
  const ttl = job.spec.ttlSecondsAfterFinished, end = job.status?.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True");
  const endMs = timestampMs(end?.lastTransitionTime);
  if (ttl === undefined || endMs === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  return Math.max(0, endMs + ttl * 1_000 - now.getTime());
}

export function createTtlAfterFinishedController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock, log } = context, informer = context.informers.get(jobs);
  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const known = informer.get(key), leftMs = known === undefined ? undefined : timeLeftMs(known, clock.now());
    if (leftMs === undefined) return {};
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    try {
      const job = await client.get(jobs, splitKey(key), signal), liveMs = timeLeftMs(job, clock.now());
      if (liveMs === undefined) return {};
      if (liveMs > 0) return { requeueAfterMs: liveMs };
      await client.delete(jobs, job.metadata, { propagationPolicy: "Foreground", ...(job.metadata.uid === undefined ? {} : { preconditions: { uid: job.metadata.uid } }) }, signal);
      log.info({ job: key }, "finished job deleted, its time is over");
    } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    return {};
  };
  const controller = new Controller(context, { name: "ttl-after-finished-controller", workers: options.workers, waitFor: [informer], reconcile });
  informer.onChange(({ type, object }) => { if (type !== "deleted") controller.queue.add(keyOf(object)); });
  return controller;
}
