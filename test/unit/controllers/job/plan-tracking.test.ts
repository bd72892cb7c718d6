import test from "ava";
import { assessJob, completionsReached, newCondition } from "../../../../lib/controllers/job/plan-job.ts";
import { UNCOUNTED_PODS_MAX, countReleased, planEnd, planTracking, setCondition } from "../../../../lib/controllers/job/plan-tracking.ts";
import type { Job, JobCondition, Pod } from "../../../../lib/api/schema/generated/models.ts";
import { NOW } from "../build.ts";
import { makeJob, makeJobPod, makeView } from "./build.ts";

const track = (job: Job, pods: readonly Pod[], finished?: JobCondition) => { const view = makeView(job, pods); return planTracking(view, assessJob(view, NOW), job.status!, finished, NOW); };
const names = (pods: readonly Pod[]): string[] => pods.map((pod) => pod.metadata.name).sort();

test("planTracking() names ended pods in the status before it lets them go, and counts nothing yet", (t) => {
  const plan = track(makeJob({ completions: 5, parallelism: 5 }), [makeJobPod({ name: "s", phase: "Succeeded" }), makeJobPod({ name: "f", phase: "Failed" }), makeJobPod({ name: "r" })]);
  t.deepEqual(plan.status.uncountedTerminatedPods, { succeeded: ["uid-s"], failed: ["uid-f"] });
  t.deepEqual([plan.status.succeeded, plan.status.failed, plan.statusChanged, names(plan.release)], [undefined, undefined, true, ["f", "s"]]);
});

test("planTracking() counts those whose finalizer is gone, however far it came before", (t) => {
  const status = { succeeded: 1, uncountedTerminatedPods: { succeeded: ["uid-s", "uid-gone"], failed: ["uid-f"] } };
  const plan = track(makeJob({ completions: 5, parallelism: 5 }, status), [makeJobPod({ name: "s", phase: "Succeeded" }), makeJobPod({ name: "f", phase: "Failed", tracked: false })]);
  t.like(plan.status, { succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ["uid-s"] } });
  t.deepEqual(names(plan.release), ["s"]);
  t.false(track(makeJob(), []).statusChanged);
});

test("countReleased() moves released uids into the counters", (t) => {
  const status = { succeeded: 1, failed: 0, uncountedTerminatedPods: { succeeded: ["a", "b"], failed: ["c"] } };
  t.deepEqual(countReleased(status, new Set(["b"])), { succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ["b"] } });
  t.is(countReleased(status, new Set(["a", "b", "c"])), status);
});

test("planTracking() of an Indexed Job counts indexes, not pods", (t) => {
  const job = makeJob({ completionMode: "Indexed", completions: 5, parallelism: 5 }, { completedIndexes: "0", succeeded: 1 });
  const plan = track(job, [makeJobPod({ name: "again", phase: "Succeeded", index: 0 }), makeJobPod({ name: "one", phase: "Succeeded", index: 1 }), makeJobPod({ name: "beyond", phase: "Succeeded", index: 9 })]);
  t.like(plan.status, { completedIndexes: "0,1", succeeded: 2, uncountedTerminatedPods: {} });
  t.deepEqual(names(plan.release), ["again", "beyond", "one"]);
});

test("planTracking() keeps a failed pod of an index until it is replaced", (t) => {
  const job = makeJob({ completionMode: "Indexed", completions: 2, parallelism: 2, backoffLimitPerIndex: 5, backoffLimit: 99 }), failed = makeJobPod({ name: "f", phase: "Failed", index: 0, failures: 0 });
  t.deepEqual(names(track(job, [failed]).release), []);
  const replaced = track(job, [failed, makeJobPod({ index: 0, failures: 1 })]);
  t.deepEqual([names(replaced.release), replaced.status.uncountedTerminatedPods], [["f"], { failed: ["uid-f"] }]);
});

test("planTracking() of a Job that fails counts what still runs as failed; one that succeeded early does not", (t) => {
  const pods = [makeJobPod({ name: "r" })];
  const failed = track(makeJob(), pods, newCondition("FailureTarget", "DeadlineExceeded", "late", NOW));
  t.deepEqual(failed.status.uncountedTerminatedPods, { failed: ["uid-r"] });
  t.like(failed.status.conditions![0], { type: "FailureTarget", reason: "DeadlineExceeded" });
  t.like(failed.terminal, { type: "Failed", reason: "DeadlineExceeded", message: "late" });
  const met = track(makeJob(), pods, newCondition("SuccessCriteriaMet", "SuccessPolicy", "rule", NOW));
  t.deepEqual([met.status.uncountedTerminatedPods, names(met.release), met.terminal!.type], [{}, ["r"], "Complete"]);
});

test("planTracking() stops at UNCOUNTED_PODS_MAX uids and says that it is partial", (t) => {
  const pods = Array.from({ length: UNCOUNTED_PODS_MAX + 10 }, () => makeJobPod({ phase: "Succeeded" }));
  const plan = track(makeJob({ completions: 9_999, parallelism: 9_999 }), pods);
  t.deepEqual([plan.release.length, plan.isPartial], [UNCOUNTED_PODS_MAX, true]);
  t.is(planEnd({}, { terminal: completionsReached(NOW), isPartial: true }, NOW), undefined);
});

test("planEnd() waits for pods that are uncounted or on their way out, and dates completion only", (t) => {
  const complete = { terminal: newCondition("Complete", "CompletionsReached", "", NOW), isPartial: false };
  t.is(planEnd({ uncountedTerminatedPods: { failed: ["x"] } }, complete, NOW), undefined);
  t.is(planEnd({ terminating: 1 }, complete, NOW), undefined);
  t.like(planEnd({ terminating: 0 }, complete, NOW), { completionTime: "2026-01-01T01:00:00Z" });
  const failed = planEnd({}, { terminal: newCondition("Failed", "DeadlineExceeded", "late", NOW), isPartial: false }, NOW)!;
  t.deepEqual([failed.completionTime, failed.conditions!.map((c) => c.type)], [undefined, ["Failed"]]);
});

test("setCondition() does not add what was never true, and says nothing when nothing changes", (t) => {
  const on = newCondition("Suspended", "JobSuspended", "Job suspended", NOW), off = newCondition("Suspended", "JobResumed", "Job resumed", NOW, "False");
  t.is(setCondition([], off), undefined);
  t.deepEqual(setCondition([], on), [on]);
  t.is(setCondition([on], { ...on, lastTransitionTime: "2027-01-01T00:00:00Z" }), undefined);
  t.deepEqual(setCondition([on], off), [off]);
});
