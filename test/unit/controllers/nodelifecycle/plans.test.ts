import test from "ava";
import { observe, planNoSchedule, silentConditions } from "../../../../lib/controllers/nodelifecycle/plan-health.ts";
import { EvictionLimiter, evictionRate, zoneOf, zoneState } from "../../../../lib/controllers/nodelifecycle/plan-zones.ts";
import type { Lease } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at, makeNode } from "../build.ts";

const lease = (renewTime: string): Lease => ({ metadata: { name: "n1" }, spec: { renewTime } });

test("observe() takes a renewed lease or a posted status as a sign of life, and nothing else", (t) => {
  const first = observe(undefined, makeNode({ ready: "True" }), lease("a"), 1_000);
  t.is(first.probedAtMs, 1_000);
  t.is(observe(first, makeNode({ ready: "True" }), lease("a"), 5_000).probedAtMs, 1_000);
  t.is(observe(first, makeNode({ ready: "True" }), lease("b"), 5_000).probedAtMs, 5_000);
  t.is(observe(first, makeNode({ ready: "True", heartbeat: at(9) }), lease("a"), 5_000).probedAtMs, 5_000);
  t.is(observe(first, makeNode({ ready: "True", unschedulable: true }), undefined, 5_000).probedAtMs, 1_000);
});

test("silentConditions() turns every condition Unknown once, naming those never posted", (t) => {
  const node = makeNode({ ready: "True" }), conditions = silentConditions(node, NOW)!;
  t.like(conditions.find((c) => c.type === "Ready"), { status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status.", lastTransitionTime: at(3_600) });
  t.like(conditions.find((c) => c.type === "PIDPressure"), { status: "Unknown", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." });
  t.is(silentConditions({ ...node, status: { conditions } }, NOW), undefined);
});

test("planNoSchedule() follows conditions and cordon, and removes what no longer holds", (t) => {
  t.deepEqual(planNoSchedule(makeNode({ ready: "Unknown" })).add, [{ key: "node.kubernetes.io/unreachable", effect: "NoSchedule" }]);
  t.deepEqual(planNoSchedule(makeNode({ ready: "True", unschedulable: true })).add, [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }]);
  const { add, remove } = planNoSchedule(makeNode({ ready: "True" }));
  t.deepEqual(add, []);
  t.true(remove.some((r) => r.key === "node.kubernetes.io/not-ready"));
});

test("zoneState() brakes only when more than two nodes and the threshold are silent", (t) => {
  const zone = (ready: number, silent: number) => zoneState([...Array.from({ length: ready }, () => true), ...Array.from({ length: silent }, () => false)], 0.55);
  t.is(zone(3, 0), "Normal");
  t.is(zone(1, 2), "Normal");
  t.is(zone(2, 3), "PartialDisruption");
  t.is(zone(5, 3), "Normal");
  t.is(zone(0, 1), "FullDisruption");
});

test("evictionRate() stops small zones that are partly silent and slows large ones", (t) => {
  const rates = { normal: 0.1, secondary: 0.01, largeZoneNodes: 50, unhealthyThreshold: 0.55 };
  t.is(evictionRate("Normal", 5, rates), 0.1);
  t.is(evictionRate("PartialDisruption", 5, rates), 0);
  t.is(evictionRate("PartialDisruption", 51, rates), 0.01);
  t.is(evictionRate("FullDisruption", 5, rates), 0.1);
});

test("EvictionLimiter lets one through at once and then keeps to its rate", (t) => {
  const limiter = new EvictionLimiter(0.1, 0);
  t.true(limiter.take(0));
  t.false(limiter.take(9_000));
  t.true(limiter.take(10_000));
  limiter.setRate(0, 10_000);
  t.false(limiter.take(1_000_000));
});

test("zoneOf() is empty without labels and tells zones of one name apart by region", (t) => {
  t.is(zoneOf(makeNode()), "");
  t.not(zoneOf(makeNode({ zone: "a" })), zoneOf(makeNode({ zone: "b" })));
});
