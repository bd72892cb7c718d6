import test from "ava";
import { assessJob, isComplete, planPods, untilDeadlineMs } from "../../../../lib/controllers/job/plan-job.ts";
import type { Job, Pod } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at } from "../build.ts";
import { makeJob, makeJobPod, makeView, type JobPodOptions } from "./build.ts";

const pods = (count: number, options: JobPodOptions = {}): Pod[] => Array.from({ length: count }, () => makeJobPod(options));
const plan = (job: Job, all: readonly Pod[]) => { const view = makeView(job, all); return planPods(view, assessJob(view, NOW), NOW); };
const end = (job: Job, all: readonly Pod[]) => { const { finished } = assessJob(makeView(job, all), NOW); return finished === undefined ? undefined : `${finished.type} ${finished.reason}`; };

test("planPods() makes pods up to parallelism and what is left to complete", (t) => {
  t.deepEqual(plan(makeJob({ parallelism: 3, completions: 5 }), pods(1)), { kind: "create", count: 2, indexes: [] });
  t.deepEqual(plan(makeJob({ parallelism: 3, completions: 5 }, { succeeded: 4 }), []), { kind: "create", count: 1, indexes: [] });
  t.deepEqual(plan(makeJob({ parallelism: 2, completions: 2 }), pods(2)), { kind: "settled" });
  t.is(plan(makeJob({ parallelism: 9_000, completions: 9_000 }), []).kind === "create" && (plan(makeJob({ parallelism: 9_000, completions: 9_000 }), []) as { count: number }).count, 500);
});

test("planPods() of a Job without completions leaves the rest running once one has succeeded", (t) => {
  const queue = makeJob({ parallelism: 3, completions: undefined });
  t.deepEqual(plan(queue, []), { kind: "create", count: 3, indexes: [] });
  t.deepEqual(plan(queue, [makeJobPod({ phase: "Succeeded" }), ...pods(2)]), { kind: "settled" });
  t.false(isComplete(queue, { succeeded: 1 }, 2));
  t.true(isComplete(queue, { succeeded: 1 }, 0));
});

test("planPods() deletes surplus and what a suspended Job still runs, cheapest first", (t) => {
  const pending = makeJobPod({ phase: "Pending" }), all = [...pods(2), pending];
  t.deepEqual(plan(makeJob({ parallelism: 2, completions: 9 }), all), { kind: "delete", pods: [pending] });
  t.deepEqual(plan(makeJob({ suspend: true }), all), { kind: "delete", pods: all });
  t.deepEqual(plan(makeJob({ suspend: true }), []), { kind: "settled" });
});

test("planPods() waits after failures, and with the policy Failed until a leaving pod has ended", (t) => {
  const recent = makeJobPod({ phase: "Failed", endedAt: 3_595 });
  t.deepEqual(plan(makeJob(), [recent]), { kind: "wait", ms: 5_000 });
  const leaving = makeJobPod({ terminating: true, ready: true });
  t.is(plan(makeJob({ podReplacementPolicy: "Failed" }), [leaving]).kind, "settled");
  t.is(plan(makeJob(), [leaving]).kind, "create"); // Its end lies further back than the back-off.
});

test("planPods() of an Indexed Job fills the first holes, and deletes doubles and indexes that are not asked for", (t) => {
  const job = (status = {}) => makeJob({ completionMode: "Indexed", completions: 6, parallelism: 3 }, status);
  t.deepEqual(plan(job({ completedIndexes: "0,2", succeeded: 2 }), [makeJobPod({ index: 3 })]), { kind: "create", count: 2, indexes: [1, 4] });
  const ready = makeJobPod({ index: 1 }), double = makeJobPod({ index: 1, ready: false }), beyond = makeJobPod({ index: 7 }), none = makeJobPod();
  const surplus = plan(job(), [double, ready, beyond, none]);
  t.deepEqual(surplus.kind === "delete" && surplus.pods.map((pod) => pod.metadata.name).sort(), [double, beyond, none].map((pod) => pod.metadata.name).sort());
});

test("planPods() with a limit for each index waits only for the index that failed", (t) => {
  const job = makeJob({ completionMode: "Indexed", completions: 2, parallelism: 2, backoffLimitPerIndex: 3, backoffLimit: 99 });
  const failed = makeJobPod({ phase: "Failed", index: 0, failures: 0, endedAt: 3_595 });
  t.deepEqual(plan(job, [failed]), { kind: "create", count: 1, indexes: [1] });
  t.deepEqual(plan(job, [failed, makeJobPod({ index: 1 })]), { kind: "wait", ms: 5_000 });
});

test("assessJob() counts ended pods once: those with the finalizer that are not in the status and were not let go", (t) => {
  const job = makeJob({ completions: 9, parallelism: 9 }, { succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ["uid-a"], failed: ["uid-f"] } });
  const all = [makeJobPod({ name: "a", phase: "Succeeded" }), makeJobPod({ name: "b", phase: "Succeeded" }), makeJobPod({ name: "c", phase: "Succeeded", tracked: false }), makeJobPod({ name: "d", phase: "Succeeded" }), makeJobPod({ name: "f", phase: "Failed" }), makeJobPod({ name: "g", phase: "Failed" })];
  t.like(assessJob(makeView(job, all, { released: new Set(["uid-d"]) }), NOW), { succeeded: 4, failed: 3 });
});

test("assessJob() ends a Job beyond its back-off limit, counting restarts where containers restart", (t) => {
  t.is(end(makeJob({ backoffLimit: 1 }), [makeJobPod({ phase: "Failed" }), makeJobPod({ phase: "Failed" })]), "FailureTarget BackoffLimitExceeded");
  t.is(end(makeJob({ backoffLimit: 2 }), [makeJobPod({ phase: "Failed" })]), undefined);
  const restarting = makeJobPod(), job = makeJob({ backoffLimit: 2 });
  job.spec.template.spec!.restartPolicy = "OnFailure";
  restarting.status!.containerStatuses![0]!.restartCount = 2;
  t.is(end(job, [restarting]), "FailureTarget BackoffLimitExceeded");
});

test("assessJob() does not count what the policy ignores, and fails the Job where it says so", (t) => {
  const rules = [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }, { action: "FailJob", onExitCodes: { operator: "In", values: [9] } }];
  const job = makeJob({ backoffLimit: 0, podFailurePolicy: { rules } });
  t.is(end(job, [makeJobPod({ phase: "Failed", condition: "DisruptionTarget" })]), undefined);
  t.is(end(job, [makeJobPod({ phase: "Failed", exitCode: 9 })]), "FailureTarget PodFailurePolicy");
});

test("assessJob() goes on with an end that was found before", (t) => {
  const condition = (type: string) => ({ type, status: "True", reason: "Why", message: "Because" });
  t.is(end(makeJob({}, { conditions: [condition("FailureTarget")] }), []), "Failed Why");
  t.is(end(makeJob({ backoffLimit: 0 }, { conditions: [condition("SuccessCriteriaMet")], failed: 5 }), []), "SuccessCriteriaMet Why");
});

test("assessJob() of indexes with limits tells failed ones and ends with too many, or when none is left", (t) => {
  const job = (rest = {}) => makeJob({ completionMode: "Indexed", completions: 4, parallelism: 4, backoffLimitPerIndex: 1, backoffLimit: 99, ...rest });
  const failed = makeJobPod({ phase: "Failed", index: 2, failures: 1 }), first = makeJobPod({ phase: "Failed", index: 1, failures: 0 });
  const assessed = assessJob(makeView(job(), [failed, first]), NOW);
  t.deepEqual([assessed.failedIndexes!.toString(), [...assessed.kept.keys()], assessed.finished], ["2", [1], undefined]);
  t.is(end(job({ maxFailedIndexes: 0 }), [failed]), "FailureTarget MaxFailedIndexesExceeded");
  t.is(end({ ...job(), status: { completedIndexes: "0,1,3" } }, [failed]), "FailureTarget FailedIndexes");
});

test("untilDeadlineMs() counts from the start, and not while suspended", (t) => {
  const job = (rest = {}) => makeJob({ activeDeadlineSeconds: 60, ...rest }, { startTime: at(3_570) });
  t.is(untilDeadlineMs(job(), NOW), 30_000);
  t.is(untilDeadlineMs(job({ activeDeadlineSeconds: 30 }), NOW), 0);
  t.is(untilDeadlineMs(job({ suspend: true }), NOW), undefined);
  t.is(end(job({ activeDeadlineSeconds: 30 }), []), "FailureTarget DeadlineExceeded");
});
