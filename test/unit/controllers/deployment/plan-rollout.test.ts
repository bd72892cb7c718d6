import test from "ava";
import { resolveFenceposts } from "../../../../lib/controllers/deployment/fenceposts.ts";
import { isScalingEvent, newSetReplicas, planOldSets, planScaling, type Scaling } from "../../../../lib/controllers/deployment/plan-rollout.ts";
import { at, makeDeployment, makeReplicaSet } from "../build.ts";

const sizes = (list: readonly Scaling[]): Record<string, number> => Object.fromEntries(list.map(({ set, replicas }) => [set.metadata.name, replicas]));
const sized = (desired: number, max: number): Record<string, string> => ({ "deployment.kubernetes.io/desired-replicas": String(desired), "deployment.kubernetes.io/max-replicas": String(max) });

test("resolveFenceposts() rounds surge up and unavailability down, and never lets both be zero", (t) => {
  t.deepEqual(resolveFenceposts(makeDeployment({ replicas: 10 })), { maxSurge: 3, maxUnavailable: 2 });
  t.deepEqual(resolveFenceposts(makeDeployment({ replicas: 3, maxSurge: 0, maxUnavailable: "10%" })), { maxSurge: 0, maxUnavailable: 1 });
  t.deepEqual(resolveFenceposts(makeDeployment({ replicas: 1, maxSurge: 0, maxUnavailable: 5 })), { maxSurge: 0, maxUnavailable: 1 });
  t.deepEqual(resolveFenceposts(makeDeployment({ recreate: true })), { maxSurge: 0, maxUnavailable: 0 });
});

test("newSetReplicas() fills the room that the surge leaves", (t) => {
  const deployment = makeDeployment({ replicas: 10, maxSurge: 2 }), old = makeReplicaSet({ name: "old", replicas: 10 });
  t.is(newSetReplicas(deployment, [old], undefined), 2);
  const fresh = makeReplicaSet({ name: "new", replicas: 2 });
  t.is(newSetReplicas(deployment, [old, fresh], fresh), 2);
  t.is(newSetReplicas(deployment, [makeReplicaSet({ replicas: 7 }), fresh], fresh), 5);
  t.is(newSetReplicas(makeDeployment({ replicas: 4, recreate: true }), [old], undefined), 4);
});

test("planOldSets() shrinks only as far as availability allows", (t) => {
  const deployment = makeDeployment({ replicas: 10, maxSurge: 2, maxUnavailable: 2 });
  t.deepEqual(sizes(planOldSets(deployment, makeReplicaSet({ replicas: 2, available: 0 }), [makeReplicaSet({ name: "old", replicas: 10 })])), { old: 8 });
  t.deepEqual(sizes(planOldSets(deployment, makeReplicaSet({ replicas: 4, available: 0 }), [makeReplicaSet({ name: "old", replicas: 8 })])), {});
  t.deepEqual(sizes(planOldSets(deployment, makeReplicaSet({ replicas: 4, available: 4 }), [makeReplicaSet({ name: "old", replicas: 8 })])), { old: 4 });
});

test("planOldSets() takes what is unhealthy anyway first, oldest set first", (t) => {
  const deployment = makeDeployment({ replicas: 4, maxSurge: 1, maxUnavailable: 1 });
  const sick = makeReplicaSet({ name: "sick", replicas: 2, available: 0, created: at(2) }), well = makeReplicaSet({ name: "well", replicas: 3, created: at(1) });
  t.deepEqual(sizes(planOldSets(deployment, makeReplicaSet({ replicas: 0 }), [well, sick])), { sick: 0 });
});

test("a rollout by these steps never goes below the available minimum nor above the surge, and ends", (t) => {
  for (const [replicas, maxSurge, maxUnavailable] of [[10, "25%", "25%"], [3, 1, 0], [4, 0, 1], [1, 1, 0], [7, "100%", "50%"]] as const) {
    const deployment = makeDeployment({ replicas, maxSurge, maxUnavailable }), fence = resolveFenceposts(deployment);
    const old = makeReplicaSet({ name: "old", replicas }), fresh = makeReplicaSet({ name: "new", replicas: 0 });
    let steps = 0;
    for (; steps < 100 && (old.spec.replicas! > 0 || fresh.status!.availableReplicas! < replicas); steps++) {
      fresh.spec.replicas = newSetReplicas(deployment, [old, fresh], fresh);
      for (const { set, replicas: size } of planOldSets(deployment, fresh, [old])) set.spec.replicas = size;
      t.true(old.spec.replicas! + fresh.spec.replicas <= replicas + fence.maxSurge);
      old.status!.availableReplicas = old.status!.replicas = old.spec.replicas!;
      t.true(old.status!.availableReplicas + fresh.status!.availableReplicas! >= replicas - fence.maxUnavailable);
      if (fresh.status!.availableReplicas! < fresh.spec.replicas) fresh.status!.availableReplicas!++; // One pod becomes ready a step.
      fresh.status!.replicas = fresh.spec.replicas;
    }
    t.true(steps < 100, `${replicas} ${maxSurge} ${maxUnavailable}`);
  }
});

test("isScalingEvent() tells a resize from a rollout by what the sets remember", (t) => {
  t.false(isScalingEvent(makeDeployment({ replicas: 3 }), [makeReplicaSet({ replicas: 3, annotations: sized(3, 4) })]));
  t.true(isScalingEvent(makeDeployment({ replicas: 5 }), [makeReplicaSet({ replicas: 3, annotations: sized(3, 4) })]));
});

test("planScaling() gives everything to the only active set", (t) => {
  t.deepEqual(sizes(planScaling(makeDeployment({ replicas: 5 }), makeReplicaSet({ name: "new", replicas: 3 }), [makeReplicaSet({ name: "old", replicas: 0 })])), { new: 5 });
});

test("planScaling() shares growth in proportion and gives the rest to the largest", (t) => {
  const deployment = makeDeployment({ replicas: 20, maxSurge: 3 });
  const newSet = makeReplicaSet({ name: "new", replicas: 5, annotations: sized(10, 13), created: at(2) }), old = makeReplicaSet({ name: "old", replicas: 8, annotations: sized(10, 13), created: at(1) });
  const plan = sizes(planScaling(deployment, newSet, [old]));
  t.is(plan["new"]! + plan["old"]!, 23);
  t.deepEqual(plan, { old: 14, new: 9 });
});

test("planScaling() empties old sets once the new one is complete", (t) => {
  const newSet = makeReplicaSet({ name: "new", replicas: 3, available: 3, annotations: sized(3, 4) });
  t.deepEqual(sizes(planScaling(makeDeployment({ replicas: 3 }), newSet, [makeReplicaSet({ name: "old", replicas: 1 })])), { old: 0 });
});
