import test from "ava";
import { IndexRanges } from "../../../../lib/controllers/job/index-ranges.ts";
import { judgeFailure, matchSuccessPolicy } from "../../../../lib/controllers/job/plan-policies.ts";
import type { PodFailurePolicyRule, SuccessPolicyRule } from "../../../../lib/api/schema/generated/models.ts";
import { makeJob, makeJobPod } from "./build.ts";

const withRules = (...rules: PodFailurePolicyRule[]) => makeJob({ podFailurePolicy: { rules } });

test("judgeFailure() takes the first rule that fits, and counts what no rule speaks of", (t) => {
  const job = withRules({ action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] }, { action: "FailJob", onExitCodes: { operator: "In", values: [3] } }, { action: "FailIndex", onExitCodes: { operator: "NotIn", values: [1, 2] } });
  t.deepEqual(judgeFailure(job, makeJobPod({ phase: "Failed", exitCode: 3, condition: "DisruptionTarget" })), { action: "Ignore", counts: false });
  t.deepEqual(judgeFailure(job, makeJobPod({ name: "p", phase: "Failed", exitCode: 3 })), { action: "FailJob", counts: true, failJobMessage: "Container c for pod default/p failed with exit code 3 matching FailJob rule at index 1" });
  t.deepEqual(judgeFailure(job, makeJobPod({ phase: "Failed", exitCode: 9 })), { action: "FailIndex", counts: true });
  t.deepEqual(judgeFailure(job, makeJobPod({ phase: "Failed", exitCode: 1 })), { action: undefined, counts: true });
});

test("judgeFailure() looks only at the container a rule names, and never at exit code 0", (t) => {
  t.is(judgeFailure(withRules({ action: "Ignore", onExitCodes: { containerName: "other", operator: "In", values: [1] } }), makeJobPod({ phase: "Failed", exitCode: 1 })).action, undefined);
  t.is(judgeFailure(withRules({ action: "Ignore", onExitCodes: { operator: "NotIn", values: [1] } }), makeJobPod({ phase: "Failed", exitCode: 0 })).action, undefined);
  t.is(judgeFailure(withRules({ action: "FailJob", onPodConditions: [{ type: "ConfigIssue", status: "True" }] }), makeJobPod({ name: "p", phase: "Failed", condition: "ConfigIssue" })).failJobMessage, "Pod default/p has condition ConfigIssue matching FailJob rule at index 0");
});

test("matchSuccessPolicy() is met by all indexes of a rule, or by enough of them, or by a mere number", (t) => {
  const match = (rule: SuccessPolicyRule, done: string) => matchSuccessPolicy(makeJob({ completionMode: "Indexed", completions: 10, successPolicy: { rules: [{ succeededIndexes: "9" }, rule] } }), IndexRanges.parse(done, 10));
  t.is(match({ succeededIndexes: "0,2" }, "0-1"), undefined);
  t.is(match({ succeededIndexes: "0,2" }, "0-2"), "Matched rules at index 1");
  t.is(match({ succeededIndexes: "0-5", succeededCount: 2 }, "4-7"), "Matched rules at index 1");
  t.is(match({ succeededIndexes: "0-5", succeededCount: 3 }, "4-7"), undefined);
  t.is(match({ succeededCount: 3 }, "1,3,5"), "Matched rules at index 1");
  t.is(match({ succeededCount: 1 }, ""), undefined);
  t.is(match({ succeededCount: 3 }, "9"), "Matched rules at index 0");
});
