import test from "ava";
import type { DeleteOptions } from "../../../../lib/api/schema/generated/models.ts";
import { definitionOf } from "../../../../lib/api/resources.ts";
import { configmaps, pods } from "../../../../lib/api/schema/generated/references.ts";
import type { KubeObject } from "../../../../lib/api/resource-definition.ts";
import { planDelete, planFinalizers } from "../../../../lib/apiserver/registry/plan-delete.ts";

const NOW = new Date("2026-03-01T12:00:00Z"), LATER = "2026-03-01T12:00:30Z";
const make = (metadata: object, rest: object = {}): KubeObject => ({ metadata: { name: "x", uid: "u", resourceVersion: "5", ...metadata }, ...rest } as unknown as KubeObject);
const running = (metadata: object = {}) => make({ generation: 2, ...metadata }, { spec: { nodeName: "n", terminationGracePeriodSeconds: 30 }, status: { phase: "Running" } });
const map = (metadata: object, options: DeleteOptions = {}) => planDelete(definitionOf(configmaps), make(metadata), options, NOW);
const pod = (object: KubeObject, options: DeleteOptions = {}) => planDelete(definitionOf(pods), object, options, NOW);

test("planDelete() removes what nothing holds", (t) => {
  t.deepEqual(map({}), { kind: "remove" });
  t.deepEqual(pod(make({}, { spec: {} })), { kind: "remove" });
  t.deepEqual(pod(make({}, { spec: { nodeName: "n" }, status: { phase: "Succeeded" } })), { kind: "remove" });
});

test("planDelete() marks what finalizers hold, once", (t) => {
  const finalizers = ["a.io/x"];
  t.deepEqual(map({ finalizers, generation: 3 }), { kind: "mark", metadata: { finalizers, deletionTimestamp: "2026-03-01T12:00:00Z", deletionGracePeriodSeconds: 0, generation: 4 } });
  t.deepEqual(map({ finalizers, deletionTimestamp: LATER, deletionGracePeriodSeconds: 0 }), { kind: "pending" });
});

test("planDelete() changes the propagation of what is marked already", (t) => {
  const plan = map({ finalizers: ["foregroundDeletion"], deletionTimestamp: LATER, deletionGracePeriodSeconds: 0 }, { propagationPolicy: "Background" });
  t.deepEqual(plan, { kind: "remove" });
});

test("planDelete() gives a running pod its grace, and bumps the generation", (t) => {
  t.deepEqual(pod(running()), { kind: "mark", metadata: { finalizers: [], deletionTimestamp: LATER, deletionGracePeriodSeconds: 30, generation: 3 } });
  t.like(pod(running(), { gracePeriodSeconds: 5 }), { metadata: { deletionTimestamp: "2026-03-01T12:00:05Z", deletionGracePeriodSeconds: 5 } });
  t.like(pod(running(), { gracePeriodSeconds: -3 }), { metadata: { deletionGracePeriodSeconds: 1 } });
  t.deepEqual(pod(running(), { gracePeriodSeconds: 0 }), { kind: "remove" });
});

test("planDelete() only ever shortens a grace", (t) => {
  const going = running({ deletionTimestamp: LATER, deletionGracePeriodSeconds: 30 });
  t.deepEqual(pod(going), { kind: "pending" });
  t.deepEqual(pod(going, { gracePeriodSeconds: 60 }), { kind: "pending" });
  t.deepEqual(pod(going, { gracePeriodSeconds: 10 }), { kind: "mark", metadata: { finalizers: [], deletionTimestamp: "2026-03-01T12:00:10Z", deletionGracePeriodSeconds: 10 } });
  t.deepEqual(pod(going, { gracePeriodSeconds: 0 }), { kind: "remove" });
});

test("planDelete() keeps a pod whose time is over while a finalizer holds it", (t) => {
  t.deepEqual(pod(running({ deletionTimestamp: LATER, deletionGracePeriodSeconds: 30, finalizers: ["a.io/x"] }), { gracePeriodSeconds: 0 }).kind, "mark");
});

test("planDelete() refuses another object than the one meant", (t) => {
  t.throws(() => map({}, { preconditions: { uid: "other" } }), { message: /the UID in the precondition \(other\) does not match the UID in record \(u\)/ });
  t.throws(() => map({}, { preconditions: { resourceVersion: "4" } }), { message: /the ResourceVersion in the precondition \(4\)/ });
  t.deepEqual(map({}, { preconditions: { uid: "u", resourceVersion: "5" } }), { kind: "remove" });
});

test("planFinalizers(): options before what the object says before the kind's default", (t) => {
  t.deepEqual(planFinalizers(["x"], {}, "background"), ["x"]);
  t.deepEqual(planFinalizers([], {}, "orphan"), ["orphan"]);
  t.deepEqual(planFinalizers(["foregroundDeletion"], {}, "orphan"), ["foregroundDeletion"]);
  t.deepEqual(planFinalizers(["orphan", "x"], { propagationPolicy: "Foreground" }, "background"), ["x", "foregroundDeletion"]);
  t.deepEqual(planFinalizers(["orphan"], { propagationPolicy: "Background" }, "background"), []);
  t.deepEqual(planFinalizers([], { orphanDependents: true }, "background"), ["orphan"]);
  t.deepEqual(planFinalizers(["orphan"], { orphanDependents: false }, "orphan"), []);
});
