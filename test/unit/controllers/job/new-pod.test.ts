import test from "ava";
import { COMPLETION_INDEX, INDEX_FAILURES, INDEX_IGNORED_FAILURES, TRACKING_FINALIZER } from "../../../../lib/controllers/job/job-pods.ts";
import { newJobPod } from "../../../../lib/controllers/job/new-pod.ts";
import { makeJob, makeJobPod } from "./build.ts";

test("newJobPod() holds the pod back by the finalizer, once, and names it after the Job", (t) => {
  t.like(newJobPod(makeJob(), undefined, undefined).metadata, { generateName: "work-", finalizers: [TRACKING_FINALIZER], ownerReferences: [{ kind: "Job", name: "work", controller: true }] });
  const job = makeJob();
  job.spec.template.metadata!.finalizers = [TRACKING_FINALIZER];
  t.deepEqual(newJobPod(job, undefined, undefined).metadata.finalizers, [TRACKING_FINALIZER]);
  t.is(newJobPod(job, undefined, undefined).spec.hostname, undefined);
});

test("newJobPod() gives the index to init containers too, and not where the variable is set", (t) => {
  const job = makeJob({ completionMode: "Indexed", completions: 9 });
  job.spec.template.spec = { containers: [{ name: "a", image: "i" }, { name: "b", image: "i", env: [{ name: "JOB_COMPLETION_INDEX", value: "mine" }] }], initContainers: [{ name: "c", image: "i" }] };
  const { spec, metadata } = newJobPod(job, 3, undefined), fromLabel = [{ name: "JOB_COMPLETION_INDEX", valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } } }];
  t.deepEqual([spec.containers[0]!.env, spec.containers[1]!.env, spec.initContainers![0]!.env, spec.hostname], [fromLabel, [{ name: "JOB_COMPLETION_INDEX", value: "mine" }], fromLabel, "work-3"]);
  t.deepEqual([metadata.generateName, metadata.labels, metadata.annotations], ["work-3-", { job: "work", [COMPLETION_INDEX]: "3" }, { [COMPLETION_INDEX]: "3" }]);
  t.is(job.spec.template.spec.containers[0]!.env, undefined); // The template is everybody's.
});

test("newJobPod() cuts a long name, never the index", (t) => {
  const job = makeJob({ completionMode: "Indexed", completions: 2_000 });
  job.metadata.name = "x".repeat(63);
  t.is(newJobPod(job, 1_234, undefined).metadata.generateName, `${"x".repeat(52)}-1234-`);
});

test("newJobPod() carries on the failures of its index, ignored ones apart", (t) => {
  const job = (rest = {}) => makeJob({ completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 3, ...rest });
  const counts = (pod: ReturnType<typeof newJobPod>) => [pod.metadata.annotations![INDEX_FAILURES], pod.metadata.annotations![INDEX_IGNORED_FAILURES]];
  t.deepEqual(counts(newJobPod(job(), 0, undefined)), ["0", undefined]);
  const failed = makeJobPod({ phase: "Failed", index: 0, failures: 1, condition: "DisruptionTarget" });
  t.deepEqual(counts(newJobPod(job(), 0, failed)), ["2", undefined]);
  t.deepEqual(counts(newJobPod(job({ podFailurePolicy: { rules: [{ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }] } }), 0, failed)), ["1", "1"]);
});
