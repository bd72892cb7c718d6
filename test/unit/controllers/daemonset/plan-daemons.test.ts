import test from "ava";
import { daemonLimits, nextAvailabilityMs, planDaemonStatus, planDaemons, planRollingUpdate } from "../../../../lib/controllers/daemonset/plan-daemons.ts";
import type { Pod } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at, makeNode, makePod } from "../build.ts";
import { daemonPod, makeDaemonSet, makeView, rolling } from "./build.ts";

const names = (pods: readonly Pod[]): string[] => pods.map((pod) => pod.metadata.name).sort();
const at0 = (): number => 0;
const noRun = (name: string) => makeNode({ name, taints: [{ key: "own", effect: "NoSchedule" }] }), driven = (name: string) => makeNode({ name, taints: [{ key: "own", effect: "NoExecute" }] });

test("planDaemons() makes a pod where there is none, and waits where one is leaving", (t) => {
  const plan = planDaemons(makeView(makeDaemonSet(), ["a", "b", "c", noRun("d")], [daemonPod("a"), daemonPod("b", "new", { terminating: true })]), at0, NOW);
  t.deepEqual([plan.create, plan.remove], [["c"], []]);
});

test("planDaemons() removes what may not go on and all but the oldest of a node", (t) => {
  const pods = [daemonPod("a", "new", { name: "second", created: at(20) }), daemonPod("a", "new", { name: "first", created: at(10) }), daemonPod("b", "new", { name: "out" }), daemonPod("c", "new", { name: "stays" })];
  t.deepEqual(names(planDaemons(makeView(makeDaemonSet(), ["a", driven("b"), noRun("c")], pods), at0, NOW).remove), ["out", "second"]);
});

test("planDaemons() removes ended pods, failed ones when their back-off is over", (t) => {
  const view = makeView(makeDaemonSet(), ["a", "b", "c"], [daemonPod("a", "new", { name: "failed", phase: "Failed" }), daemonPod("b", "new", { name: "waits", phase: "Failed" }), daemonPod("c", "new", { name: "done", phase: "Succeeded" })]);
  const plan = planDaemons(view, (node) => (node === "b" ? 4_000 : 0), NOW);
  t.deepEqual([names(plan.remove), names(plan.failed.map(({ pod }) => pod)), names(plan.succeeded.map(({ pod }) => pod)), plan.retryAfterMs, plan.create], [["done", "failed"], ["failed"], ["done"], 4_000, []]);
});

test("planDaemons() removes pods that wait for a node that is gone", (t) => {
  const lost = makePod({ name: "lost" }), view = makeView(makeDaemonSet(), ["a"], [daemonPod("a"), daemonPod("gone", "new", { name: "bound" })]);
  t.deepEqual(names(planDaemons({ ...view, podsOn: new Map([...view.podsOn, ["gone", [lost, daemonPod("gone")]]]) }, at0, NOW).remove), ["lost"]);
});

test("planDaemons() with surge lets one old and one new pod stay until the new one is available or the old one is not ready", (t) => {
  const surge = makeDaemonSet(rolling(0, 1)), plan = (old: object, fresh: object) => names(planDaemons(makeView(surge, ["a"], [daemonPod("a", "old", { name: "old", ...old }), daemonPod("a", "new", { name: "new", ...fresh })]), at0, NOW).remove);
  t.deepEqual(plan({}, { ready: false }), []);
  t.deepEqual(plan({}, {}), ["old"]);
  t.deepEqual(plan({ ready: false }, { ready: false }), ["old"]);
  t.deepEqual(planDaemons(makeView(surge, ["a"], [daemonPod("a", "old", { terminating: true })]), at0, NOW).create, ["a"]);
});

test("daemonLimits() rounds shares up and never lets both be 0", (t) => {
  t.deepEqual(daemonLimits(makeDaemonSet(rolling("10%")), 11), { maxSurge: 0, maxUnavailable: 2 });
  t.deepEqual(daemonLimits(makeDaemonSet(rolling(0, "10%")), 11), { maxSurge: 2, maxUnavailable: 0 });
  t.deepEqual(daemonLimits(makeDaemonSet(rolling(0, 0)), 3), { maxSurge: 0, maxUnavailable: 1 });
});

test("planRollingUpdate() removes old pods up to maxUnavailable, broken ones in any case", (t) => {
  const view = (maxUnavailable: number, pods: Pod[]) => makeView(makeDaemonSet(rolling(maxUnavailable)), ["a", "b", "c", "d"], pods);
  const old = (node: string, rest = {}) => daemonPod(node, "old", { name: node, ...rest });
  t.deepEqual(names(planRollingUpdate(view(2, [old("a"), old("b"), old("c"), daemonPod("d")]), NOW).remove), ["a", "b"]);
  t.deepEqual(names(planRollingUpdate(view(1, [old("a"), old("b"), daemonPod("c", "new", { ready: false }), daemonPod("d")]), NOW).remove), []);
  t.deepEqual(names(planRollingUpdate(view(1, [old("a"), old("b", { ready: false }), old("c", { ready: false }), daemonPod("d")]), NOW).remove), ["b", "c"]);
  t.deepEqual(names(planRollingUpdate(view(1, [old("a"), old("b", { terminating: true }), daemonPod("c"), daemonPod("d")]), NOW).remove), []);
});

test("planRollingUpdate() with surge makes new pods beside old ones, and takes the old away when the new are available", (t) => {
  const view = (pods: Pod[]) => makeView(makeDaemonSet(rolling(0, 1)), ["a", "b", "c"], pods), old = (node: string, rest = {}) => daemonPod(node, "old", { name: `old-${node}`, ...rest });
  t.deepEqual(planRollingUpdate(view([old("a"), old("b"), old("c")]), NOW), { create: ["a"], remove: [] });
  const waiting = planRollingUpdate(view([old("a"), daemonPod("a", "new", { ready: false }), old("b"), old("c", { ready: false })]), NOW);
  t.deepEqual([waiting.create, names(waiting.remove)], [["c"], []]);
  const done = planRollingUpdate(view([old("a"), daemonPod("a"), old("b"), daemonPod("c")]), NOW);
  t.deepEqual([done.create, names(done.remove)], [["b"], ["old-a"]]);
});

test("planRollingUpdate() with surge keeps an available pod on a node it left until another is available", (t) => {
  const set = makeDaemonSet(rolling(0, 1)), left = daemonPod("a", "old", { name: "left" });
  t.deepEqual(planRollingUpdate(makeView(set, [noRun("a"), "b"], [left, daemonPod("b", "new", { ready: false })]), NOW).remove, []);
  t.deepEqual(names(planRollingUpdate(makeView(set, [noRun("a"), "b"], [left, daemonPod("b")]), NOW).remove), ["left"]);
});

test("planDaemonStatus() counts nodes, by the first pod of each, and leaves zeros out where upstream does", (t) => {
  const set = makeDaemonSet({ minReadySeconds: 60 }, { status: { observedGeneration: 1, currentNumberScheduled: 9, numberMisscheduled: 9, desiredNumberScheduled: 9, numberReady: 9 } });
  const view = makeView(set, ["a", "b", "c", noRun("d")], [daemonPod("a"), daemonPod("b", "old", { readyAt: at(3_590) }), daemonPod("d")]);
  t.deepEqual(planDaemonStatus(view, true, NOW), { currentNumberScheduled: 2, numberMisscheduled: 1, desiredNumberScheduled: 3, numberReady: 2, observedGeneration: 2, updatedNumberScheduled: 1, numberAvailable: 1, numberUnavailable: 2 });
  t.is(planDaemonStatus(view, false, NOW).observedGeneration, 1);
  t.deepEqual(planDaemonStatus(makeView(makeDaemonSet(), []), false, NOW), { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 });
  t.is(nextAvailabilityMs(view, NOW), 50_000);
});
