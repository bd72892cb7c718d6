import test from "ava";
import { BURST_REPLICAS, nextAvailabilityMs, planReplicaStatus, planReplicas, statusChanged } from "../../../../lib/controllers/replicaset/plan-replicas.ts";
import { NOW, at, makePod, makeReplicaSet } from "../build.ts";

const pods = (count: number, node?: string) => Array.from({ length: count }, () => makePod(node === undefined ? {} : { node }));

test("planReplicas() creates what is missing, at most a burst", (t) => {
  t.deepEqual(planReplicas(makeReplicaSet({ replicas: 3 }), pods(1), [], NOW), { kind: "create", count: 2 });
  t.deepEqual(planReplicas(makeReplicaSet({ replicas: 5_000 }), [], [], NOW), { kind: "create", count: BURST_REPLICAS });
  t.deepEqual(planReplicas(makeReplicaSet({ replicas: 2 }), pods(2), [], NOW), { kind: "settled" });
});

test("planReplicas() deletes all at zero, and else the cheapest", (t) => {
  const all = pods(3);
  t.deepEqual(planReplicas(makeReplicaSet({ replicas: 0 }), all, [], NOW), { kind: "delete", pods: all });
  const sick = makePod({ node: "n1", ready: false }), plan = planReplicas(makeReplicaSet({ replicas: 2 }), [...pods(2, "n1"), sick], [], NOW);
  t.deepEqual(plan, { kind: "delete", pods: [sick] });
});

test("planReplicas() spreads: pods of sibling sets count towards a crowded node", (t) => {
  const mine = [makePod({ name: "a", node: "n1" }), makePod({ name: "b", node: "n2" })], sibling = makePod({ name: "s", node: "n2" });
  const plan = planReplicas(makeReplicaSet({ replicas: 1 }), mine, [...mine, sibling], NOW);
  t.deepEqual(plan, { kind: "delete", pods: [mine[1]!] });
});

test("planReplicaStatus() counts ready, available and fully labelled pods", (t) => {
  const rs = makeReplicaSet({ replicas: 3, minReadySeconds: 60 });
  const active = [makePod({ readyAt: at(3_590) }), makePod({ readyAt: at(0) }), makePod({ ready: false, labels: { other: "x" } })];
  t.like(planReplicaStatus(rs, active, [makePod({ terminating: true })], undefined, NOW), { replicas: 3, readyReplicas: 2, availableReplicas: 1, fullyLabeledReplicas: 2, terminatingReplicas: 1, observedGeneration: 1 });
  t.is(nextAvailabilityMs(rs, active, NOW), 50_000);
});

test("planReplicaStatus() tells a failure once and forgets it when there is none", (t) => {
  const rs = makeReplicaSet({ replicas: 1 }), failed = planReplicaStatus(rs, [], [], { reason: "FailedCreate", message: "quota" }, NOW);
  t.like(failed.conditions![0], { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "quota" });
  const again = planReplicaStatus({ ...rs, status: failed }, [], [], { reason: "FailedCreate", message: "another text" }, NOW);
  t.false(statusChanged(failed, again));
  t.is(planReplicaStatus({ ...rs, status: failed }, [], [], undefined, NOW).conditions, undefined);
});
