/**
 * For a CronJob: which start is due, when to look again, and the Job that is made for it. Pure.
 * Counterpart: kubernetes `pkg/controller/cronjob/utils.go`.
 */
import { formatInZone, nextDueMs } from "../../api/helpers/cron-schedule.ts";
import { parseCron, type CronSpec } from "../../api/helpers/cron-syntax.ts";
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { cronjobs } from "../../api/schema/generated/references.ts";
import type { CronJob, Job, ObjectMeta } from "../../api/schema/generated/models.ts";

export const SCHEDULED_AT_ANNOTATION = "batch.kubernetes.io/cronjob-scheduled-timestamp";
/** Looked at a little after the minute, so that a clock that is read a little early misses none. */
const LATENESS_MS = 100;
const MISSED_MANY = 100;

export interface DueStart {
  /** The newest start that is due and was not made; undefined when none is. */
  readonly dueMs: number | undefined;
  readonly missedMany: boolean;
}

/** The schedule in the zone it is meant for. Throws CronSyntaxError. `localZone` is where this runs. */
export function scheduleOf({ spec }: CronJob, localZone: string): { schedule: CronSpec; zone: string } {
  return { schedule: parseCron(spec.schedule), zone: spec.timeZone ?? localZone };
}

/** Throws when the schedule is never due, such as on 31 February. */
export function planStart(cronJob: CronJob, schedule: CronSpec, zone: string, nowMs: number): DueStart {
  return mostRecent(cronJob, schedule, zone, nowMs, true);
}

function earliestOf({ metadata, status, spec }: CronJob, nowMs: number, withDeadline: boolean): number {
  const earliestMs = timestampMs(status?.lastScheduleTime) ?? timestampMs(metadata.creationTimestamp) ?? nowMs;
  return withDeadline && spec.startingDeadlineSeconds !== undefined ? Math.max(earliestMs, nowMs - spec.startingDeadlineSeconds * 1_000) : earliestMs;
}

function mostRecent(cronJob: CronJob, schedule: CronSpec, zone: string, nowMs: number, withDeadline: boolean): DueStart {
  const earliestMs = earliestOf(cronJob, nowMs, withDeadline), next = (ms: number): number | undefined => nextDueMs(schedule, ms, zone);
  const first = next(earliestMs), second = first === undefined ? undefined : next(first);
  if (first === undefined || second === undefined) throw new Error("time difference between two schedules is less than 1 second");
  if (nowMs < first) return { dueMs: undefined, missedMany: false };
  if (nowMs < second) return { dueMs: first, missedMany: false };
  const missedMany = Math.floor((nowMs - first) / (second - first)) + 1 > MISSED_MANY;
  if (schedule.when.kind === "every") return { dueMs: first + Math.floor((nowMs - first) / schedule.when.ms) * schedule.when.ms, missedMany };
  // From ever further back, until a start lies between: the last one before now is the newest.
  for (let backMs = second - first; ; backMs *= 2) {
    let found: number | undefined;
    for (let ms = next(Math.max(earliestMs, nowMs - backMs)); ms !== undefined && ms <= nowMs; ms = next(ms)) found = ms;
    if (found !== undefined) return { dueMs: found, missedMany };
  }
}

/** Milliseconds until the next start after those that are due; undefined when there is none. */
export function untilNextMs(cronJob: CronJob, schedule: CronSpec, zone: string, nowMs: number): number | undefined {
  let fromMs: number;
  try { fromMs = mostRecent(cronJob, schedule, zone, nowMs, false).dueMs ?? earliestOf(cronJob, nowMs, false); } catch { return undefined; }
  const nextMs = nextDueMs(schedule, fromMs, zone);
  return nextMs === undefined ? undefined : Math.max(0, nextMs + LATENESS_MS - nowMs);
}

/** The same start has the same name, so that it is made once. */
export const jobNameOf = (cronJob: CronJob, dueMs: number): string => `${cronJob.metadata.name}-${Math.floor(dueMs / 60_000)}`;

export function newCronedJob(cronJob: CronJob, dueMs: number): Job {
  const { metadata: { namespace }, spec: { jobTemplate, timeZone } } = cronJob, { labels, annotations } = jobTemplate.metadata ?? ({} as ObjectMeta);
  return {
    metadata: {
      name: jobNameOf(cronJob, dueMs), namespace, ...(labels === undefined ? {} : { labels: { ...labels } }),
      annotations: { ...annotations, [SCHEDULED_AT_ANNOTATION]: formatInZone(dueMs, timeZone ?? "UTC") }, ownerReferences: [newControllerRef(cronJob, cronjobs)],
    },
    spec: jobTemplate.spec ?? { template: {} },
  };
}

/** Finished Jobs beyond the limits, oldest start first. */
export function planHistory({ spec }: CronJob, jobs: readonly Job[]): Job[] {
  const surplus = (type: string, limit: number | undefined): Job[] => {
    const ended = jobs.filter((job) => endOf(job) === type).toSorted(byStart);
    return limit === undefined ? [] : ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [...surplus("Complete", spec.successfulJobsHistoryLimit), ...surplus("Failed", spec.failedJobsHistoryLimit)];
}

/** How the Job ended; undefined while it goes on. */
export const endOf = (job: Job): "Complete" | "Failed" | undefined => job.status?.conditions?.find(({ type, status }) => (type === "Complete" || type === "Failed") && status === "True")?.type as "Complete" | "Failed" | undefined;

/** Those that never started last; names decide between equals. */
function byStart(a: Job, b: Job): number {
  const aMs = timestampMs(a.status?.startTime) ?? Infinity, bMs = timestampMs(b.status?.startTime) ?? Infinity;
  return aMs === bMs ? (a.metadata.name < b.metadata.name ? -1 : 1) : aMs - bMs;
}
