import test from "ava";
import { maxUnavailableOf, nextAvailabilityMs, planStateful, planStatefulStatus, type StatefulAction, type StatefulView } from "../../../../lib/controllers/statefulset/plan-stateful.ts";
import type { StatefulSetSpec } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at } from "../build.ts";
import { CLAIM_TEMPLATE, NEW, OLD, makeStatefulSet, makeView, statefulPod } from "./build.ts";

const said = (action: StatefulAction): string => (action.kind === "create" ? `create db-${action.ordinal} ${action.revision.metadata.name}` : `${action.kind} ${action.pod.metadata.name}`);
const plan = (view: StatefulView): string[] => planStateful(view, NOW).map(said);
const PARALLEL: Partial<StatefulSetSpec> = { podManagementPolicy: "Parallel" };
const rolling = (rollingUpdate: object | undefined): Partial<StatefulSetSpec> => ({ updateStrategy: { type: "RollingUpdate", ...(rollingUpdate === undefined ? {} : { rollingUpdate }) } });
const updating = (spec: Partial<StatefulSetSpec>, pods: Parameters<typeof makeView>[1], status = { replicas: 3, currentReplicas: 3 }) => plan(makeView(makeStatefulSet(spec, status), pods, { current: OLD, update: NEW }));

test("planStateful() in order makes one pod after the other is ready, from the lowest", (t) => {
  t.deepEqual(plan(makeView(makeStatefulSet(), [])), ["create db-0 db-new"]);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { phase: "Pending", ready: false })])), ["claim db-0"]);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { ready: false })])), []);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0)])), ["create db-1 db-new"]);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { terminating: true }), statefulPod(1)])), []);
  t.deepEqual(plan(makeView(makeStatefulSet({ minReadySeconds: 60 }), [statefulPod(0, NEW, { readyAt: at(3_590) })])), []);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0), statefulPod(1), statefulPod(2)])), []);
});

test("planStateful() in parallel makes all at once", (t) => {
  t.deepEqual(plan(makeView(makeStatefulSet(PARALLEL), [statefulPod(1, NEW, { ready: false })])), ["create db-0 db-new", "create db-2 db-new"]);
  t.deepEqual(plan(makeView(makeStatefulSet({ ...PARALLEL, ordinals: { start: 5 }, replicas: 2 }), [])), ["create db-5 db-new", "create db-6 db-new"]);
});

test("planStateful() removes pods that have ended, whatever their end", (t) => {
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { phase: "Failed" })])), ["delete db-0"]);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { phase: "Succeeded" })])), ["delete db-0"]);
  t.deepEqual(plan(makeView(makeStatefulSet(), [statefulPod(0, NEW, { phase: "Failed", terminating: true })])), []);
});

test("planStateful() scales away from the highest: one after the other in order, all in parallel", (t) => {
  const pods = [0, 1, 2, 3].map((ordinal) => statefulPod(ordinal));
  t.deepEqual(plan(makeView(makeStatefulSet({ replicas: 1 }), pods)), ["delete db-3"]);
  t.deepEqual(plan(makeView(makeStatefulSet({ replicas: 1 }), [pods[0]!, pods[1]!, statefulPod(2, NEW, { terminating: true })])), []);
  t.deepEqual(plan(makeView(makeStatefulSet({ ...PARALLEL, replicas: 1 }), pods)), ["delete db-3", "delete db-2", "delete db-1"]);
  t.deepEqual(plan(makeView(makeStatefulSet({ replicas: 1 }), [pods[0]!, statefulPod(1), statefulPod(2, NEW, { ready: false }), statefulPod(3)])), ["delete db-3"]);
  t.deepEqual(plan(makeView(makeStatefulSet({ replicas: 1 }), [pods[0]!, statefulPod(1, NEW, { ready: false }), statefulPod(2, NEW, { ready: false })])), []); // The lower one is to heal first.
});

test("planStateful() updates from the highest, one at a time, down to the partition", (t) => {
  const old = (ordinal: number, rest = {}) => statefulPod(ordinal, OLD, rest);
  t.deepEqual(updating({}, [old(0), old(1), old(2)]), ["delete db-2"]);
  t.deepEqual(updating({}, [old(0), old(1), statefulPod(2)]), ["delete db-1"]);
  t.deepEqual(updating({}, [old(0), old(1), statefulPod(2, NEW, { ready: false })]), []);
  t.deepEqual(updating(rolling({ partition: 2 }), [old(0), old(1), statefulPod(2)]), []);
  t.deepEqual(updating({ updateStrategy: { type: "OnDelete" } }, [old(0), old(1), old(2)]), []);
  t.deepEqual(updating(rolling({ partition: 0, maxUnavailable: 2 }), [old(0), old(1), old(2)]), ["delete db-2", "delete db-1"]);
  t.deepEqual(updating({ ...PARALLEL }, [old(0), old(1, { ready: false }), old(2)]), ["delete db-1"]); // It is missing anyway.
});

test("planStateful() makes pods below the partition as they were, and above as they are to be", (t) => {
  t.deepEqual(updating({ ...PARALLEL, ...rolling({ partition: 2 }) }, []), ["create db-0 db-old", "create db-1 db-old", "create db-2 db-new"]);
  t.deepEqual(updating({ ...PARALLEL, ...rolling(undefined) }, [], { replicas: 1, currentReplicas: 1 }), ["create db-0 db-old", "create db-1 db-new", "create db-2 db-new"]);
  t.deepEqual(updating({ ...PARALLEL, updateStrategy: { type: "OnDelete" }, replicas: 1 }, []), ["create db-0 db-new"]);
});

test("planStateful() does not make a pod over a claim that goes with the last one, and disowns claims of what is scaled away", (t) => {
  const spec: Partial<StatefulSetSpec> = { volumeClaimTemplates: [CLAIM_TEMPLATE], persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Retain" } };
  const stale = { metadata: { name: "data-db-0", ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "db-0", uid: "before" }] }, spec: {} };
  t.deepEqual(plan(makeView(makeStatefulSet(spec), [], { claims: [stale] })), []);
  t.deepEqual(plan(makeView(makeStatefulSet({ ...spec, replicas: 0 }), [statefulPod(0)], { claims: [{ metadata: { name: "data-db-0" }, spec: {} }] })), ["disown db-0", "delete db-0"]);
});

test("planStateful() puts labels right, and does nothing to a set that is being deleted", (t) => {
  const unlabelled = statefulPod(0);
  delete unlabelled.metadata.labels!["statefulset.kubernetes.io/pod-name"];
  t.deepEqual(plan(makeView(makeStatefulSet({ replicas: 1 }), [unlabelled])), ["correct db-0"]);
  const leaving = makeStatefulSet();
  leaving.metadata.deletionTimestamp = at(1);
  t.deepEqual(plan(makeView(leaving, [])), []);
});

test("maxUnavailableOf() rounds down, and is never below one", (t) => {
  t.deepEqual(["10%", "50%", 2, undefined].map((maxUnavailable) => maxUnavailableOf(makeStatefulSet({ replicas: 5, ...rolling({ maxUnavailable }) }))), [1, 2, 2, 1]);
});

test("planStatefulStatus() counts, and makes the new template the current one only when all is done", (t) => {
  const during = planStatefulStatus(makeView(makeStatefulSet(), [statefulPod(0, OLD), statefulPod(1, OLD, { ready: false }), statefulPod(2)], { current: OLD }), 0, NOW);
  t.deepEqual(during, { observedGeneration: 2, replicas: 3, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 1, currentRevision: "db-old", updateRevision: "db-new", collisionCount: 0, availableReplicas: 2 });
  const after = planStatefulStatus(makeView(makeStatefulSet(), [statefulPod(0), statefulPod(1), statefulPod(2)], { current: OLD }), 0, NOW);
  t.like(after, { currentReplicas: 3, updatedReplicas: 3, currentRevision: "db-new", updateRevision: "db-new" });
  t.deepEqual(planStatefulStatus(makeView(makeStatefulSet(), []), 0, NOW), { observedGeneration: 2, replicas: 0, currentRevision: "db-new", updateRevision: "db-new", collisionCount: 0, availableReplicas: 0 });
  t.is(nextAvailabilityMs(makeView(makeStatefulSet({ minReadySeconds: 60 }), [statefulPod(0, NEW, { readyAt: at(3_590) })]), NOW), 50_000);
});
