import test from "ava";
import { OwnerGraph, type Identity } from "../../../../lib/controllers/garbage-collector/owner-graph.ts";
import { planCollection, type OwnerState } from "../../../../lib/controllers/garbage-collector/plan-collection.ts";
import type { ObjectMeta, OwnerReference } from "../../../../lib/api/schema/generated/models.ts";
import { at } from "../build.ts";

const id = (uid: string): Identity => ({ apiVersion: "v1", kind: "ConfigMap", namespace: "x", name: uid, uid });
const owner = (uid: string, block = true): OwnerReference => ({ apiVersion: "v1", kind: "ConfigMap", name: uid, uid, blockOwnerDeletion: block });
const meta = (uid: string, owners: OwnerReference[] = [], rest: Partial<ObjectMeta> = {}): ObjectMeta => ({ name: uid, namespace: "x", uid, ownerReferences: owners, ...rest });

test("OwnerGraph looks again at the dependents of what is removed", (t) => {
  const graph = new OwnerGraph();
  graph.upsert(id("a"), meta("a"));
  t.deepEqual(graph.upsert(id("b"), meta("b", [owner("a")])).look, ["b"]);
  t.deepEqual(graph.remove("a").look, ["b"]);
  t.true(graph.get("a")!.virtual); // Still named by b.
  graph.remove("b");
  t.is(graph.size, 0);
});

test("OwnerGraph keeps an owner that was named before it was seen, and makes it real when it is", (t) => {
  const graph = new OwnerGraph();
  graph.upsert(id("b"), meta("b", [owner("a")]));
  t.true(graph.get("a")!.virtual);
  graph.upsert(id("a"), meta("a"));
  t.false(graph.get("a")!.virtual);
  t.deepEqual(graph.dependentsOf("a").map((n) => n.identity.uid), ["b"]);
});

test("OwnerGraph starts a foreground deletion once, and looks at the owner when a dependent is out of its way", (t) => {
  const graph = new OwnerGraph(), deleting = { deletionTimestamp: at(1), finalizers: ["foregroundDeletion"] };
  graph.upsert(id("a"), meta("a"));
  graph.upsert(id("b"), meta("b", [owner("a")]));
  graph.upsert(id("c"), meta("c", [owner("a", false)]));
  t.deepEqual(graph.upsert(id("a"), meta("a", [], deleting)).look, ["b", "c", "a"]);
  t.deepEqual(graph.upsert(id("a"), meta("a", [], deleting)).look, []);
  t.deepEqual(graph.blockingDependentsOf("a").map((n) => n.identity.uid), ["b"]);
  t.true(graph.upsert(id("b"), meta("b", [])).look.includes("a"));
  t.deepEqual(graph.blockingDependentsOf("a"), []);
});

test("OwnerGraph sends an owner with the orphan finalizer to be orphaned", (t) => {
  const graph = new OwnerGraph();
  graph.upsert(id("a"), meta("a"));
  t.deepEqual(graph.upsert(id("a"), meta("a", [], { deletionTimestamp: at(1), finalizers: ["orphan"] })).orphan, ["a"]);
});

const judged = (...states: OwnerState[]) => states.map((state, i) => ({ reference: owner(`o${i}`), state }));
const none = { any: false, someWaiting: false };

test("planCollection() keeps what has an owner, disowns from absent ones, and deletes what has none left", (t) => {
  t.deepEqual(planCollection(meta("x"), [], none), { kind: "keep" });
  t.deepEqual(planCollection(meta("x"), judged("solid"), none), { kind: "keep" });
  t.deepEqual(planCollection(meta("x"), judged("absent", "solid", "waiting"), none), { kind: "disown", owners: [owner("o1")] });
  t.deepEqual(planCollection(meta("x"), judged("absent"), none), { kind: "delete", propagation: "Background", unblock: false });
  t.deepEqual(planCollection(meta("x", [], { finalizers: ["orphan"] }), judged("absent"), none), { kind: "delete", propagation: "Orphan", unblock: false });
  t.deepEqual(planCollection(meta("x", [], { finalizers: ["foregroundDeletion"] }), judged("absent"), none), { kind: "delete", propagation: "Foreground", unblock: false });
});

test("planCollection() hands a foreground deletion down, and breaks a ring that waits for itself", (t) => {
  t.deepEqual(planCollection(meta("x"), judged("waiting"), { any: true, someWaiting: false }), { kind: "delete", propagation: "Foreground", unblock: false });
  t.deepEqual(planCollection(meta("x"), judged("waiting"), { any: true, someWaiting: true }), { kind: "delete", propagation: "Foreground", unblock: true });
  t.deepEqual(planCollection(meta("x"), judged("waiting"), none), { kind: "delete", propagation: "Background", unblock: false });
});
