import test from "ava";
import { calculateStatus, conditionOf, planPauseCondition, planRolloutStatus, untilDeadlineMs } from "../../../../lib/controllers/deployment/plan-status.ts";
import { newSetAnnotations, planCleanup, findNewSet, equalIgnoringHash } from "../../../../lib/controllers/deployment/revisions.ts";
import { NOW, at, makeDeployment, makeReplicaSet } from "../build.ts";

test("calculateStatus() says Available once enough replicas are", (t) => {
  const deployment = makeDeployment({ replicas: 4 });
  t.like(conditionOf(calculateStatus(deployment, makeReplicaSet({ replicas: 4, available: 3 }), [], NOW), "Available"), { status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." });
  t.like(conditionOf(calculateStatus(deployment, makeReplicaSet({ replicas: 4, available: 2 }), [], NOW), "Available"), { status: "False", reason: "MinimumReplicasUnavailable" });
});

test("planRolloutStatus() goes from progressing to complete, with upstream's words", (t) => {
  const deployment = makeDeployment({ replicas: 2 });
  const progressing = planRolloutStatus(deployment, makeReplicaSet({ name: "web-1", replicas: 2, available: 0, ready: 0 }), [], NOW);
  t.like(conditionOf(progressing, "Progressing"), { status: "True", reason: "ReplicaSetUpdated", message: 'ReplicaSet "web-1" is progressing.' });
  const complete = planRolloutStatus({ ...deployment, status: progressing }, makeReplicaSet({ name: "web-1", replicas: 2 }), [], NOW);
  t.like(conditionOf(complete, "Progressing"), { status: "True", reason: "NewReplicaSetAvailable", message: 'ReplicaSet "web-1" has successfully progressed.' });
  t.like(complete, { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, unavailableReplicas: 0, observedGeneration: 1 });
});

test("planRolloutStatus() times out when nothing moved for the deadline, and stays so", (t) => {
  const stuck = makeReplicaSet({ name: "web-1", replicas: 2, available: 0, ready: 0 });
  const status = { replicas: 2, updatedReplicas: 2, observedGeneration: 1, unavailableReplicas: 2, conditions: [{ type: "Progressing", status: "True", reason: "ReplicaSetUpdated", lastUpdateTime: at(2_000), lastTransitionTime: at(0) }] };
  const deployment = makeDeployment({ replicas: 2, status, deadline: 600 });
  t.is(untilDeadlineMs(deployment, status, new Date(Date.parse(at(2_100)))), 501_000);
  const late = planRolloutStatus(deployment, stuck, [], NOW);
  t.like(conditionOf(late, "Progressing"), { status: "False", reason: "ProgressDeadlineExceeded", message: 'ReplicaSet "web-1" has timed out progressing.' });
  t.is(untilDeadlineMs(deployment, late, NOW), undefined);
});

test("planRolloutStatus() shows the failure of the new set before any other", (t) => {
  const failure = (message: string) => ({ replicas: 0, conditions: [{ type: "ReplicaFailure", status: "True", reason: "FailedCreate", message }] });
  const status = planRolloutStatus(makeDeployment(), makeReplicaSet({ status: failure("new") }), [makeReplicaSet({ status: failure("old") })], NOW);
  t.is(conditionOf(status, "ReplicaFailure")?.message, "new");
});

test("planPauseCondition() tells pause and resume once", (t) => {
  const paused = makeDeployment({ paused: true }), condition = planPauseCondition(paused, NOW)!;
  t.like(condition, { status: "Unknown", reason: "DeploymentPaused" });
  t.is(planPauseCondition({ ...paused, status: { conditions: [condition] } }, NOW), undefined);
  t.like(planPauseCondition({ ...makeDeployment(), status: { conditions: [condition] } }, NOW), { reason: "DeploymentResumed" });
});

test("newSetAnnotations() numbers revisions, remembers old ones, and copies all but its own kind", (t) => {
  const deployment = makeDeployment({ replicas: 3, annotations: { note: "x", "kubectl.kubernetes.io/last-applied-configuration": "{}", "deployment.kubernetes.io/revision": "7" } });
  t.deepEqual(newSetAnnotations(deployment, makeReplicaSet(), 4, false), { note: "x", "deployment.kubernetes.io/revision": "4", "deployment.kubernetes.io/desired-replicas": "3", "deployment.kubernetes.io/max-replicas": "4" });
  const old = makeReplicaSet({ annotations: { note: "x", "deployment.kubernetes.io/revision": "2", "deployment.kubernetes.io/revision-history": "1" } });
  t.like(newSetAnnotations(deployment, old, 5, true), { "deployment.kubernetes.io/revision": "5", "deployment.kubernetes.io/revision-history": "1,2" });
  const right = makeReplicaSet({ annotations: { note: "x", "deployment.kubernetes.io/revision": "5" } });
  t.is(newSetAnnotations(deployment, right, 5, true), right.metadata.annotations!);
});

test("findNewSet() ignores the hash label and takes the oldest of twins", (t) => {
  const a = makeReplicaSet({ name: "a", created: at(5) }), b = makeReplicaSet({ name: "b", created: at(1) }), other = makeReplicaSet({ image: "nginx:2" });
  b.spec.template!.metadata!.labels!["pod-template-hash"] = "abc";
  t.is(findNewSet(makeDeployment(), [a, b, other]), b);
  t.false(equalIgnoringHash(a.spec.template, other.spec.template));
});

test("planCleanup() removes the oldest empty sets beyond the limit, none that still holds pods", (t) => {
  const set = (name: string, revision: number, replicas: number) => makeReplicaSet({ name, replicas, annotations: { "deployment.kubernetes.io/revision": String(revision) } });
  const plan = planCleanup(makeDeployment({ history: 1 }), [set("c", 3, 0), set("a", 1, 1), set("b", 2, 0), set("d", 4, 0)]);
  t.deepEqual(plan.map((s) => s.metadata.name), ["b", "c"]);
});
