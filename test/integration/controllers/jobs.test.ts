/** Jobs against a real API server. Re-told from kubernetes `test/integration/job` and its e2e suite `test/e2e/apps/job.go`. */
import test from "ava";
import { events, jobs, pods } from "../../../lib/api/schema/generated/references.ts";
import type { Job, JobSpec, Pod } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => {
  world = await World.start();
  for (const [image, code] of [["ok:1", 0], ["fail:1", 1], ["fail:42", 42]] as const) world.ends.set(image, code);
});
test.after.always(async () => { await world.stop(); });

const make = (name: string, image: string, spec: Partial<JobSpec> = {}, restartPolicy = "Never"): Promise<Job> =>
  world.client.create(jobs, { metadata: { name, namespace: "default" }, spec: { template: { spec: { restartPolicy, containers: [{ name: "c", image }] } }, ...spec } });
const ended = (name: string, type: "Complete" | "Failed") => world.until(`${name} ${type}`, async () => {
  const job = await world.get(jobs, name);
  return job?.status?.conditions?.some((c) => c.type === type && c.status === "True") === true && job;
});
const podsOf = (name: string): Promise<Pod[]> => world.list(pods, `batch.kubernetes.io/job-name=${name}`);
const running = (name: string, count: number) => world.until(`${count} pods of ${name} run`, async () => { const all = (await podsOf(name)).filter((p) => p.status?.phase === "Running" && p.metadata.deletionTimestamp === undefined); return all.length === count && all; });
const told = async (name: string): Promise<string[]> => (await world.list(events)).filter((e) => e.involvedObject.name === name && e.involvedObject.kind === "Job").map((e) => `${e.type} ${e.reason} ${e.message}`);
const types = (job: Job): string[] => job.status!.conditions!.map((c) => `${c.type} ${c.reason}`);
const change = (name: string, spec: Partial<JobSpec>): Promise<unknown> => world.client.patch(jobs, { namespace: "default", name }, "merge", { spec });

test("a Job runs to completion, no more at once than its parallelism, and says so in status and events", async (t) => {
  await make("plain", "ok:1", { completions: 5, parallelism: 2 });
  const { status } = await ended("plain", "Complete");
  t.like(status, { succeeded: 5, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  t.deepEqual([status!.active, status!.failed], [undefined, undefined]);
  t.is(typeof status!.startTime, "string");
  t.deepEqual(status!.conditions!.map((c) => [c.type, c.status, c.reason, c.message]), [
    ["SuccessCriteriaMet", "True", "CompletionsReached", "Reached expected number of succeeded pods"], ["Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"],
  ]);
  const mine = await podsOf("plain");
  t.is(mine.length, 5);
  t.true(mine.every((p) => (p.metadata.finalizers ?? []).length === 0));
  const said = await world.until("events", async () => { const all = await told("plain"); return all.includes("Normal Completed Job completed") && all; });
  t.is(said.filter((e) => e.startsWith("Normal SuccessfulCreate Created pod: plain-")).length, 5);
});

test("a failing Job is tried again up to its back-off limit", async (t) => {
  await make("failing", "fail:1", { backoffLimit: 2 });
  const job = await ended("failing", "Failed");
  t.is(job.status!.failed, 3);
  t.deepEqual(types(job), ["FailureTarget BackoffLimitExceeded", "Failed BackoffLimitExceeded"]);
  await world.until("event", async () => (await told("failing")).includes("Warning BackoffLimitExceeded Job has reached the specified backoff limit"));
});

test("an Indexed Job gives each pod its index, in label, annotation, environment, host name and name", async (t) => {
  await make("indexed", "ok:1", { completions: 4, parallelism: 4, completionMode: "Indexed" });
  const job = await ended("indexed", "Complete");
  t.like(job.status, { succeeded: 4, completedIndexes: "0-3" });
  const mine = (await podsOf("indexed")).toSorted((a, b) => a.spec.hostname!.localeCompare(b.spec.hostname!));
  t.deepEqual(mine.map((p) => [p.metadata.labels!["batch.kubernetes.io/job-completion-index"], p.metadata.annotations!["batch.kubernetes.io/job-completion-index"], p.spec.hostname]), [0, 1, 2, 3].map((i) => [String(i), String(i), `indexed-${i}`]));
  t.regex(mine[2]!.metadata.name, /^indexed-2-[a-z0-9]{5}$/);
  t.deepEqual(mine[0]!.spec.containers[0]!.env, [{ name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']" } } }]);
});

test("with a limit for each index, failing ones end alone and the Job tells which", async (t) => {
  await make("per-index", "fail:1", { completions: 2, parallelism: 2, completionMode: "Indexed", backoffLimitPerIndex: 1 });
  const job = await ended("per-index", "Failed");
  t.like(job.status, { failed: 4, failedIndexes: "0,1" });
  t.deepEqual(types(job), ["FailureTarget FailedIndexes", "Failed FailedIndexes"]);
  t.deepEqual((await podsOf("per-index")).map((p) => p.metadata.annotations!["batch.kubernetes.io/job-index-failure-count"] ?? "none").sort(), ["0", "0", "1", "1"]);
});

test("podFailurePolicy fails the Job at once on an exit code it names, and says which container", async (t) => {
  await make("policy", "fail:42", { backoffLimit: 6, podFailurePolicy: { rules: [{ action: "FailJob", onExitCodes: { containerName: "c", operator: "In", values: [42] } }] } });
  const job = await ended("policy", "Failed"), [pod] = await podsOf("policy");
  t.is(job.status!.failed, 1);
  t.is(job.status!.conditions!.find((c) => c.type === "Failed")!.message, `Container c for pod default/${pod!.metadata.name} failed with exit code 42 matching FailJob rule at index 0`);
});

test("successPolicy ends the Job when its leader has succeeded, and the rest is deleted", async (t) => {
  await make("leader", "run:1", { completions: 3, parallelism: 3, completionMode: "Indexed", successPolicy: { rules: [{ succeededIndexes: "0" }] } });
  const leader = (await running("leader", 3)).find((p) => p.spec.hostname === "leader-0")!;
  await world.client.patch(pods, leader.metadata, "strategic", { status: { phase: "Succeeded" } }, { subresource: "status" });
  const job = await ended("leader", "Complete");
  t.like(job.status, { succeeded: 1, completedIndexes: "0" });
  t.is(job.status!.conditions!.find((c) => c.type === "Complete")!.message, "Matched rules at index 0");
  await world.until("rest gone", async () => (await podsOf("leader")).length === 1);
});

test("suspending deletes the pods without counting them, resuming starts anew and resets the start", async (t) => {
  await make("pause", "run:1", { completions: 2, parallelism: 2 });
  await running("pause", 2);
  await change("pause", { suspend: true });
  const suspended = await world.until("suspended", async () => { const job = await world.get(jobs, "pause"); return (job?.status?.active ?? 0) === 0 && job?.status?.terminating === 0 && job; });
  t.like(suspended.status!.conditions![0], { type: "Suspended", status: "True", reason: "JobSuspended", message: "Job suspended" });
  t.deepEqual([suspended.status!.failed, suspended.status!.startTime], [undefined, undefined]);
  await change("pause", { suspend: false });
  await running("pause", 2);
  const resumed = await world.until("resumed", async () => { const job = await world.get(jobs, "pause"); return job?.status?.conditions?.[0]?.status === "False" && job; });
  t.like(resumed.status!.conditions![0], { type: "Suspended", reason: "JobResumed", message: "Job resumed" });
  await world.until("told", async () => { const all = await told("pause"); return all.includes("Normal Suspended Job suspended") && all.includes("Normal Resumed Job resumed"); });
});

test("a Job past its active deadline fails, and its pods go", async (t) => {
  await make("late", "run:1");
  await running("late", 1);
  await change("late", { activeDeadlineSeconds: 1 });
  const job = await ended("late", "Failed");
  t.like(job.status!.conditions!.find((c) => c.type === "Failed"), { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" });
  t.is(job.status!.failed, 1);
  await world.until("pods gone", async () => (await podsOf("late")).length === 0);
});

test("a deleted pod is replaced: at once, or by podReplacementPolicy Failed when it has ended", async (t) => {
  await Promise.all(([["replace-any", "TerminatingOrFailed"], ["replace-failed", "Failed"]] as const).map(async ([name, podReplacementPolicy]) => {
    await make(name, "run:1", { podReplacementPolicy });
    const [pod] = await running(name, 1);
    await world.client.delete(pods, pod!.metadata);
    await world.until(`${name} replaced`, async () => (await podsOf(name)).some((p) => p.metadata.uid !== pod!.metadata.uid && p.metadata.deletionTimestamp === undefined), 20_000);
    t.is((await world.until("counted", async () => { const job = await world.get(jobs, name); return job?.status?.failed === 1 && job; })).status!.failed, 1);
  }));
});

test("parallelism changes while a Job runs, and completions of an elastic Indexed Job with it", async (t) => {
  await make("elastic", "run:1", { completions: 3, parallelism: 3, completionMode: "Indexed" });
  await running("elastic", 3);
  await change("elastic", { completions: 1, parallelism: 1 });
  const [left] = await running("elastic", 1);
  t.is(left!.spec.hostname, "elastic-0");
  await change("elastic", { completions: 2, parallelism: 2 });
  await running("elastic", 2);
});

test("a deleted Job leaves no pod behind, and one deleted as an orphan lets its pods go without finalizers", async (t) => {
  await make("background", "run:1", { parallelism: 2, completions: 2 });
  await running("background", 2);
  await world.client.delete(jobs, { namespace: "default", name: "background" }, { propagationPolicy: "Background" });
  await world.until("pods gone", async () => (await podsOf("background")).length === 0);
  await make("foreground", "run:1");
  await running("foreground", 1);
  await world.client.delete(jobs, { namespace: "default", name: "foreground" }, { propagationPolicy: "Foreground" });
  await world.until("job gone", async () => (await world.get(jobs, "foreground")) === undefined);
  await make("orphan", "run:1");
  await running("orphan", 1);
  await world.client.delete(jobs, { namespace: "default", name: "orphan" }, { propagationPolicy: "Orphan" });
  const [pod] = await world.until("let go", async () => { const all = await podsOf("orphan"); return all.length === 1 && all.every((p) => (p.metadata.finalizers ?? []).length === 0 && (p.metadata.ownerReferences ?? []).length === 0) && all; });
  t.is(pod!.metadata.deletionTimestamp, undefined);
});

test("a finished Job is deleted with its pods when its TTL is over", async (t) => {
  await make("short", "ok:1", { ttlSecondsAfterFinished: 1 });
  await world.until("gone", async () => (await world.get(jobs, "short")) === undefined && (await podsOf("short")).length === 0);
  t.pass();
});

test("a Job managed by another controller is left alone", async (t) => {
  await make("theirs", "ok:1", { managedBy: "example.com/queue" });
  await make("ours", "ok:1");
  await ended("ours", "Complete");
  t.deepEqual([(await world.get(jobs, "theirs"))!.status, await podsOf("theirs")], [{}, []]);
});
