import test from "ava";
import type { Pod, PodDisruptionBudget } from "../../../../lib/api/schema/generated/models.ts";
import { PodInfo } from "../../../../lib/scheduler/cache/pod-info.ts";
import { planPreemption, type PreemptionPlan } from "../../../../lib/scheduler/preemption/plan-preemption.ts";
import { decide, makeNode, makePod, makeWorld, type World } from "../builders.ts";

function plan(pod: Pod, world: World, budgets: PodDisruptionBudget[] = []): PreemptionPlan {
  const decision = decide(pod, world);
  if (decision.kind !== "unfit") throw new Error(`${pod.metadata.name} fits`);
  return planPreemption(new PodInfo(pod), decision.diagnosis, decision.filters, world, budgets);
}
/** `node: victims`, or the message. */
const told = (result: PreemptionPlan): string => (result.kind === "none" ? result.message : `${result.victims.node.name}: ${result.victims.pods.map(({ name }) => name).join(" ")}`);
const running = (name: string, node: string, priority: number, cpu: string, startTime = "2026-01-01T00:00:00Z", labels = {}): Pod => makePod(name, { node, priority, requests: { cpu }, startTime, labels });
const vip = (cpu: string, spec = {}): Pod => makePod("vip", { priority: 100, requests: { cpu }, spec });

test("planPreemption() says of each node why nobody's leaving would help, after what upstream's claims plugin says", (t) => {
  const world = makeWorld([makeNode("small", { cpu: "1" }), makeNode("full", { cpu: "4" }), makeNode("tainted", { taints: [{ key: "x", effect: "NoSchedule" }] })], [running("equal", "full", 100, "3")]);
  t.is(told(plan(vip("2"), world)), "no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.");
});

test("planPreemption() lets go as few as possible, the least important and the youngest", (t) => {
  const there = [running("a", "n", 10, "1"), running("b", "n", 5, "1"), running("c", "n", 5, "1", "2026-01-02T00:00:00Z"), running("d", "n", 200, "1")];
  t.is(told(plan(vip("1"), makeWorld([makeNode("n")], there))), "n: c");
  t.is(told(plan(vip("2"), makeWorld([makeNode("n")], there))), "n: b c");
  t.is(told(plan(vip("3"), makeWorld([makeNode("n")], there))), "n: a b c");
});

test("planPreemption() leaves the cluster as it was", (t) => {
  const world = makeWorld([makeNode("n")], [running("a", "n", 1, "2"), running("b", "n", 1, "2")]);
  plan(vip("3"), world);
  t.is(world.cache.node("n")!.pods.size, 2);
  t.is(world.cache.node("n")!.requested.get("cpu"), 4_000);
});

test("planPreemption() picks the node with the least harm", (t) => {
  const nodes = [makeNode("a", { cpu: "2" }), makeNode("b", { cpu: "2" }), makeNode("c", { cpu: "2" })];
  t.is(told(plan(vip("2"), makeWorld(nodes, [running("a1", "a", 20, "2"), running("b1", "b", 10, "2"), running("c1", "c", 30, "2")]))), "b: b1"); // Least important chief victim.
  t.is(told(plan(vip("2"), makeWorld(nodes, [running("a1", "a", 10, "1"), running("a2", "a", 10, "1"), running("b1", "b", 10, "2"), running("c1", "c", 11, "2")]))), "b: b1"); // Fewer.
  t.is(told(plan(vip("2"), makeWorld(nodes.slice(0, 2), [running("a1", "a", 10, "2"), running("b1", "b", 10, "2", "2026-02-01T00:00:00Z")]))), "b: b1"); // Later started.
});

test("planPreemption() spares what a disruption budget protects, where it can", (t) => {
  const budget: PodDisruptionBudget = { metadata: { name: "b", namespace: "default" }, spec: { selector: { matchLabels: { app: "db" } } }, status: { disruptionsAllowed: 0, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } };
  const there = [running("db", "a", 1, "2", undefined, { app: "db" }), running("web", "b", 50, "2")];
  t.is(told(plan(vip("2"), makeWorld([makeNode("a", { cpu: "2" }), makeNode("b", { cpu: "2" })], there), [budget])), "b: web");
  t.is(told(plan(vip("2"), makeWorld([makeNode("a", { cpu: "2" })], there.slice(0, 1)), [budget])), "a: db"); // Nothing else would do.
});

test("planPreemption() refuses a pod that must never preempt, or whose victims are still leaving", (t) => {
  const world = makeWorld([makeNode("n", { cpu: "2" })], [running("a", "n", 1, "2")]);
  t.is(told(plan(vip("1", { preemptionPolicy: "Never" }), world)), "no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.");
  const leaving = running("leaving", "n", 1, "2");
  leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
  leaving.status!.conditions = [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" }];
  const busy = makeWorld([makeNode("n", { cpu: "2" })], [leaving]), pod = vip("1");
  busy.nominations.set(new PodInfo(pod), "n");
  const refused = plan(pod, busy);
  t.is(told(refused), "no new claims to deallocate, preemption: not eligible due to a terminating pod on the nominated node.");
  t.true(refused.kind === "none" && refused.keepNomination);
});

test("planPreemption() takes spreading into account: the victim's leaving frees its domain", (t) => {
  const constraint = { topologyKey: "topology.kubernetes.io/zone", maxSkew: 1, whenUnsatisfiable: "DoNotSchedule", labelSelector: { matchLabels: { app: "web" } } };
  const nodes = [makeNode("a", { zone: "a" }), makeNode("b", { zone: "b", cpu: "0" })];
  const there = [makePod("w", { node: "a", priority: 1, labels: { app: "web" } })];
  t.is(told(plan(makePod("vip", { priority: 100, labels: { app: "web" }, requests: { cpu: "1" }, spec: { topologySpreadConstraints: [constraint] } }), makeWorld(nodes, there))), "a: w");
});
