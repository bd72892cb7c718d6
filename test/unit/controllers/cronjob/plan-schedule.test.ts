import test from "ava";
import { parseCron } from "../../../../lib/api/helpers/cron-syntax.ts";
import { SCHEDULED_AT_ANNOTATION, jobNameOf, newCronedJob, planHistory, planStart, scheduleOf, untilNextMs } from "../../../../lib/controllers/cronjob/plan-schedule.ts";
import type { CronJob, CronJobSpec, Job } from "../../../../lib/api/schema/generated/models.ts";

const ms = (text: string): number => Date.parse(text);
function makeCronJob(spec: Partial<CronJobSpec> = {}, lastScheduleTime?: string): CronJob {
  return {
    apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "tick", namespace: "default", uid: "uid-tick", creationTimestamp: "2026-01-01T00:00:30Z" },
    spec: { schedule: "0 * * * *", jobTemplate: { metadata: { name: "", labels: { a: "b" }, annotations: { c: "d" } }, spec: { template: { spec: { containers: [] } } } }, successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1, ...spec },
    status: lastScheduleTime === undefined ? {} : { lastScheduleTime },
  };
}
const start = (cronJob: CronJob, now: string) => { const { dueMs, missedMany } = planStart(cronJob, parseCron(cronJob.spec.schedule), "UTC", ms(now)); return [dueMs === undefined ? undefined : new Date(dueMs).toISOString().slice(0, 19), missedMany]; };

test("planStart() finds the newest start since the last, or since it was made", (t) => {
  t.deepEqual(start(makeCronJob(), "2026-01-01T00:59:59Z"), [undefined, false]);
  t.deepEqual(start(makeCronJob(), "2026-01-01T01:00:01Z"), ["2026-01-01T01:00:00", false]);
  t.deepEqual(start(makeCronJob({}, "2026-01-01T01:00:00Z"), "2026-01-01T01:30:00Z"), [undefined, false]);
  t.deepEqual(start(makeCronJob(), "2026-01-01T07:30:00Z"), ["2026-01-01T07:00:00", false]);
  t.deepEqual(start(makeCronJob({ schedule: "0 9 * * Mon-Fri" }), "2026-01-12T08:00:00Z"), ["2026-01-09T09:00:00", false]); // Over a weekend.
});

test("planStart() tells when more than a hundred were missed, unless a deadline leaves fewer", (t) => {
  t.deepEqual(start(makeCronJob({ schedule: "* * * * *" }), "2026-01-01T03:00:10Z"), ["2026-01-01T03:00:00", true]);
  t.deepEqual(start(makeCronJob({ schedule: "* * * * *", startingDeadlineSeconds: 600 }), "2026-01-01T03:00:10Z"), ["2026-01-01T03:00:00", false]);
  t.deepEqual(start(makeCronJob({ schedule: "@every 45s" }), "2026-01-01T00:03:00Z"), ["2026-01-01T00:02:45", false]);
});

test("planStart() refuses a schedule that is never due", (t) => {
  t.throws(() => start(makeCronJob({ schedule: "59 23 31 2 *" }), "2026-01-01T03:00:10Z"), { message: "time difference between two schedules is less than 1 second" });
});

test("untilNextMs() looks a little after the next start", (t) => {
  const until = (cronJob: CronJob, now: string) => untilNextMs(cronJob, parseCron(cronJob.spec.schedule), "UTC", ms(now));
  t.is(until(makeCronJob(), "2026-01-01T00:59:00Z"), 60_100);
  t.is(until(makeCronJob({}, "2026-01-01T01:00:00Z"), "2026-01-01T01:00:30Z"), 3_570_100);
  t.is(until(makeCronJob(), "2026-01-01T05:30:00Z"), 1_800_100);
  t.is(until(makeCronJob({ schedule: "59 23 31 2 *" }), "2026-01-01T05:30:00Z"), undefined);
});

test("scheduleOf() takes the zone of the spec before the one here", (t) => {
  t.is(scheduleOf(makeCronJob({ timeZone: "Asia/Tokyo" }), "UTC").zone, "Asia/Tokyo");
  t.is(scheduleOf(makeCronJob(), "Europe/Berlin").zone, "Europe/Berlin");
});

test("newCronedJob() is named by its minute and says when it was meant, in the zone asked for", (t) => {
  const due = ms("2026-01-01T01:00:00Z"), job = newCronedJob(makeCronJob({ timeZone: "Asia/Tokyo" }), due);
  t.is(jobNameOf(makeCronJob(), due), "tick-29453820");
  t.like(job.metadata, { name: "tick-29453820", namespace: "default", labels: { a: "b" }, annotations: { c: "d", [SCHEDULED_AT_ANNOTATION]: "2026-01-01T10:00:00+09:00" }, ownerReferences: [{ kind: "CronJob", name: "tick", controller: true }] });
  t.is(newCronedJob(makeCronJob(), due).metadata.annotations![SCHEDULED_AT_ANNOTATION], "2026-01-01T01:00:00Z");
});

test("planHistory() removes the oldest beyond each limit, and none without a limit", (t) => {
  const job = (name: string, type: string | undefined, startTime: string): Job => ({ metadata: { name }, spec: { template: {} }, status: { startTime, ...(type === undefined ? {} : { conditions: [{ type, status: "True" }] }) } });
  const all = [job("c2", "Complete", "2026-01-02T00:00:00Z"), job("c1", "Complete", "2026-01-01T00:00:00Z"), job("f1", "Failed", "2026-01-01T00:00:00Z"), job("f2", "Failed", "2026-01-02T00:00:00Z"), job("r", undefined, "2025-01-01T00:00:00Z")];
  const names = (spec: Partial<CronJobSpec>) => planHistory(makeCronJob(spec), all).map(({ metadata }) => metadata.name);
  t.deepEqual(names({}), ["c1", "f1"]);
  t.deepEqual(names({ successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 5 }), ["c1", "c2"]);
  t.deepEqual(names({ successfulJobsHistoryLimit: undefined, failedJobsHistoryLimit: undefined }), []);
});
