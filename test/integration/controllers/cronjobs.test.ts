/** CronJobs against a real API server. Re-told from kubernetes `test/integration/cronjob` and `test/e2e/apps/cronjob.go`; the clock is helped by an old lastScheduleTime. */
import test from "ava";
import { cronjobs, events, jobs } from "../../../lib/api/schema/generated/references.ts";
import type { CronJob, CronJobSpec, Job } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); world.ends.set("ok:1", 0); });
test.after.always(async () => { await world.stop(); });

const minutesAgo = (minutes: number): string => `${new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 17)}00Z`;
const make = (name: string, spec: Partial<CronJobSpec> = {}, image = "run:1"): Promise<CronJob> =>
  world.client.create(cronjobs, { metadata: { name, namespace: "default" }, spec: { schedule: "* * * * *", suspend: true, jobTemplate: { metadata: { name: "", labels: { from: name } }, spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image }] } } } }, ...spec } });
/** Lets it go as if its last start were `minutes` ago. */
async function release(name: string, minutes = 3, status: CronJob["status"] = {}): Promise<void> {
  await world.client.patch(cronjobs, { namespace: "default", name }, "merge", { status: { ...status, lastScheduleTime: minutesAgo(minutes) } }, { subresource: "status" });
  await world.client.patch(cronjobs, { namespace: "default", name }, "merge", { spec: { suspend: false } });
}
const jobsOf = (name: string): Promise<Job[]> => world.list(jobs, `from=${name}`);
const told = (name: string, reason: string) => world.until(`${reason} of ${name}`, async () => (await world.list(events)).find((e) => e.involvedObject.name === name && e.reason === reason));
/** A Job of it that still runs, from before. */
async function prior(name: string): Promise<CronJob["status"]> {
  const cronJob = (await world.get(cronjobs, name))!, ownerReferences = [{ apiVersion: "batch/v1", kind: "CronJob", name, uid: cronJob.metadata.uid!, controller: true }];
  const job = await world.client.create(jobs, { metadata: { name: `${name}-prior`, namespace: "default", labels: { from: name }, ownerReferences }, spec: cronJob.spec.jobTemplate.spec! });
  return { active: [{ kind: "Job", apiVersion: "batch/v1", namespace: "default", name: job.metadata.name, uid: job.metadata.uid }] };
}

test("a start that is due is made once, with the minute in its name, and listed while it runs", async (t) => {
  await make("due");
  await release("due");
  const [job] = await world.until("job", async () => { const all = await jobsOf("due"); return all.length > 0 && all; });
  t.regex(job!.metadata.name, /^due-\d{8}$/);
  t.is(Date.parse(job!.metadata.annotations!["batch.kubernetes.io/cronjob-scheduled-timestamp"]!) / 60_000, Number(job!.metadata.name.slice(4)));
  const cronJob = await world.until("listed", async () => { const c = await world.get(cronjobs, "due"); return c?.status?.active?.some(({ uid }) => uid === job!.metadata.uid) === true && c; });
  t.true(Date.parse(cronJob.status!.lastScheduleTime!) >= Date.parse(job!.metadata.annotations!["batch.kubernetes.io/cronjob-scheduled-timestamp"]!));
  t.is((await told("due", "SuccessfulCreate")).message, `Created job ${job!.metadata.name}`);
});

test("a Job that has ended leaves the list, and the CronJob says when it last succeeded", async (t) => {
  await make("ends", {}, "ok:1");
  await release("ends");
  const cronJob = await world.until("success", async () => { const c = await world.get(cronjobs, "ends"); return c?.status?.lastSuccessfulTime !== undefined && (c.status.active ?? []).length === 0 && c; });
  t.is(typeof cronJob.status!.lastScheduleTime, "string");
  t.regex((await told("ends", "SawCompletedJob")).message!, /^Saw completed job: ends-\d+, status: Complete$/);
});

test("Forbid makes none beside one that runs, Replace puts the new one in its place", async (t) => {
  await make("forbid", { concurrencyPolicy: "Forbid" });
  await release("forbid", 3, await prior("forbid"));
  t.is((await told("forbid", "JobAlreadyActive")).message, "Not starting job because prior execution is running and concurrency policy is Forbid");
  t.deepEqual((await jobsOf("forbid")).map(({ metadata }) => metadata.name), ["forbid-prior"]);
  await make("replace", { concurrencyPolicy: "Replace" });
  await release("replace", 3, await prior("replace"));
  await world.until("replaced", async () => { const all = await jobsOf("replace"); return all.length === 1 && /^replace-\d+$/.test(all[0]!.metadata.name); });
  t.is((await told("replace", "SuccessfulDelete")).message, "Deleted job replace-prior");
});

test("a start that is later than its deadline is not made", async (t) => {
  await make("late", { schedule: "@every 8760h", startingDeadlineSeconds: 30 });
  await release("late");
  await make("on-time", { startingDeadlineSeconds: 100 });
  await release("on-time");
  await world.until("the other", async () => (await jobsOf("on-time")).length > 0);
  t.deepEqual(await jobsOf("late"), []);
});

test("history beyond its limits goes with its pods", async (t) => {
  await make("history", { successfulJobsHistoryLimit: 1 }, "ok:1");
  const cronJob = (await world.get(cronjobs, "history"))!, ownerReferences = [{ apiVersion: "batch/v1", kind: "CronJob", name: "history", uid: cronJob.metadata.uid!, controller: true }];
  for (const name of ["history-1", "history-2", "history-3"]) await world.client.create(jobs, { metadata: { name, namespace: "default", labels: { from: "history" }, ownerReferences }, spec: cronJob.spec.jobTemplate.spec! });
  await world.until("one left", async () => { const all = await jobsOf("history"); return all.length === 1 && all[0]!.status?.conditions?.some((c) => c.type === "Complete") === true; });
  t.pass();
});

test("a suspended CronJob and one whose schedule is never due make nothing; the latter says why", async (t) => {
  await make("never", { schedule: "59 23 31 2 *", suspend: false });
  t.is((await told("never", "InvalidSchedule")).message, "invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second");
  t.deepEqual(await jobsOf("never"), []);
});
