/**
 * CronJob controller: makes Jobs by the clock. Wiring only: what to do is in `cron-sync.ts` and the plan.
 *
 * Promises: a start is made once, since its Job is named by its minute; nothing is decided from a copy older than our own last write.
 * Counterpart: kubernetes `pkg/controller/cronjob/cronjob_controllerv2.go`.
 */
import { controllerOf } from "../../api/helpers/owner-references.ts";
import { cronjobs, jobs } from "../../api/schema/generated/references.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import { CONTROLLER_INDEX, ownerIndexes } from "../shared/pod-indexes.ts";
import { CronSync } from "./cron-sync.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { CronJob, Job } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const CRON_JOB_CONTROLLER = "cronjob-controller";
/** A write that no watch shows for so long is asked about again. */
const STALE_RETRY_MS = 1_000;

/** `localZone` is where schedules are read that name no zone. */
export function createCronJobController(context: ControllerContext, options: { workers: number; localZone: string }): Runnable {
  const { client, clock } = context, recorder = context.recorder(CRON_JOB_CONTROLLER), owners = context.informers.get(cronjobs), children = context.informers.get(jobs, { indexes: ownerIndexes<Job>() });
  const written = new Map<string, CronJob>();
  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const cronJob = owners.get(key), ours = written.get(key);
    if (cronJob === undefined) { written.delete(key); return {}; }
    if (ours?.metadata.uid === cronJob.metadata.uid && Number(ours?.metadata.resourceVersion) > Number(cronJob.metadata.resourceVersion)) return { requeueAfterMs: STALE_RETRY_MS };
    written.delete(key);
    const result = await new CronSync({ client, clock, recorder, localZone: options.localZone }, cronJob, children.byIndex(CONTROLLER_INDEX, cronJob.metadata.uid ?? ""), signal).run();
    if (result.written !== undefined) written.set(key, result.written);
    return result.requeueAfterMs === undefined ? {} : { requeueAfterMs: result.requeueAfterMs };
  };
  const controller = new Controller(context, { name: CRON_JOB_CONTROLLER, workers: options.workers, waitFor: [owners, children], reconcile });
  owners.onChange(({ object }) => controller.queue.add(keyOf(object)));
  children.onChange(({ object }) => {
    const reference = controllerOf(object);
    if (reference?.kind !== cronjobs.kind) return;
    const owner = owners.get(joinKey(object.metadata.namespace, reference.name));
    if (owner?.metadata.uid === reference.uid) controller.queue.add(keyOf(owner));
  });
  return controller;
}
