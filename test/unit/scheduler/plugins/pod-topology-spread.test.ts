import test from "ava";
import type { TopologySpreadConstraint } from "../../../../lib/api/schema/generated/models.ts";
import { fill, makeNode, makePod, makeWorld, verdict } from "../builders.ts";

const ZONE = "topology.kubernetes.io/zone";
const labels = { app: "web" };
const hard = (more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint => ({ topologyKey: ZONE, maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: labels }, ...more });
const replicas = (count: number, constraints?: TopologySpreadConstraint[]): ReturnType<typeof makePod>[] =>
  Array.from({ length: count }, (_, i) => makePod(`p${i}`, { labels, requests: { cpu: "10m" }, ...(constraints === undefined ? {} : { spec: { topologySpreadConstraints: constraints } }) }));
const there = (node: string, count: number): ReturnType<typeof makePod>[] => Array.from({ length: count }, (_, i) => makePod(`there-${node}-${i}`, { node, labels }));

test("PodTopologySpread keeps the skew of a hard constraint within its limit", (t) => {
  const nodes = [makeNode("a1", { zone: "a" }), makeNode("a2", { zone: "a" }), makeNode("b1", { zone: "b" }), makeNode("c1", { zone: "c" })];
  const counts = fill(replicas(9, [hard()]), makeWorld(nodes));
  t.is((counts["a1"] ?? 0) + (counts["a2"] ?? 0), 3);
  t.is(counts["b1"], 3);
});

test("PodTopologySpread tells a skewed domain from a node without the label", (t) => {
  const world = makeWorld([makeNode("a1", { zone: "a" }), makeNode("b1", { zone: "b", cpu: "0" }), makeNode("bare")], there("a1", 1));
  t.is(verdict(replicas(1, [hard()])[0]!, world),
    "0/3 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints, 1 node(s) didn't match pod topology spread constraints (missing required label).");
});

test("PodTopologySpread with minDomains counts the fewest as none while domains are missing", (t) => {
  const world = makeWorld([makeNode("a1", { zone: "a" })], there("a1", 1));
  t.is(verdict(replicas(1, [hard()])[0]!, world), "a1");
  t.is(verdict(replicas(1, [hard({ minDomains: 2 })])[0]!, world), "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.");
});

test("PodTopologySpread leaves out nodes the pod may not use, unless told to ignore affinity, and tainted ones when told to honor taints", (t) => {
  const nodes = [makeNode("a1", { zone: "a", labels: { disk: "ssd" } }), makeNode("b1", { zone: "b" })];
  const pod = (more: Partial<TopologySpreadConstraint>): ReturnType<typeof makePod> => makePod("p", { labels, spec: { nodeSelector: { disk: "ssd" }, topologySpreadConstraints: [hard(more)] } });
  t.is(verdict(pod({}), makeWorld(nodes, there("a1", 1))), "a1"); // Zone b is none of its zones.
  t.regex(verdict(pod({ nodeAffinityPolicy: "Ignore" }), makeWorld(nodes, there("a1", 1))), /topology spread/);
  const tainted = [makeNode("a1", { zone: "a" }), makeNode("b1", { zone: "b", taints: [{ key: "x", effect: "NoSchedule" }] })];
  t.regex(verdict(replicas(1, [hard()])[0]!, makeWorld(tainted, there("a1", 1))), /topology spread/);
  t.is(verdict(replicas(1, [hard({ nodeTaintsPolicy: "Honor" })])[0]!, makeWorld(tainted, there("a1", 1))), "a1");
});

test("PodTopologySpread does not count terminating pods", (t) => {
  const leaving = there("a1", 1)[0]!;
  leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  t.is(verdict(replicas(1, [hard()])[0]!, makeWorld([makeNode("a1", { zone: "a" }), makeNode("b1", { zone: "b", cpu: "0" })], [leaving])), "a1");
});

test("by default the pods of one owner spread over hosts and zones", (t) => {
  const owners = { requirements: [{ key: "app", operator: "=" as const, values: ["web"] }] };
  const nodes = [makeNode("a1", { zone: "a", cpu: "64" }), makeNode("a2", { zone: "a" }), makeNode("b1", { zone: "b" }), makeNode("b2", { zone: "b" })];
  const counts = fill(replicas(8), makeWorld(nodes, [], { owners }));
  t.deepEqual(counts, { a1: 2, a2: 2, b1: 2, b2: 2 }); // Not all on the biggest.
});

test("by default hosts alone are spread over when nodes have no zone", (t) => {
  const owners = { requirements: [{ key: "app", operator: "=" as const, values: ["web"] }] };
  t.deepEqual(fill(replicas(6), makeWorld([makeNode("a", { cpu: "64" }), makeNode("b"), makeNode("c")], [], { owners })), { a: 2, b: 2, c: 2 });
});

test("a soft constraint is only a wish: skew is taken where nothing else is free", (t) => {
  const world = makeWorld([makeNode("a1", { zone: "a" }), makeNode("b1", { zone: "b", cpu: "0" })], there("a1", 5));
  t.is(verdict(replicas(1, [hard({ whenUnsatisfiable: "ScheduleAnyway" })])[0]!, world), "a1");
});
