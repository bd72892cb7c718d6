import test from "ava";
import { PodInfo } from "../../../../lib/scheduler/cache/pod-info.ts";
import { feasibleNodesWanted, scoreNodes } from "../../../../lib/scheduler/framework/schedule-pod.ts";
import { decide, fill, makeNode, makePod, makePodInfo, makeWorld, verdict } from "../builders.ts";

test("the textbook case: of nodes with 4, 10 and 15 CPU a pod asking 5 cannot use the first, and the third wins on free resources", (t) => {
  const world = makeWorld([makeNode("four", { cpu: "4" }), makeNode("ten", { cpu: "10" }), makeNode("fifteen", { cpu: "15" })]);
  const pod = makePod("p", { requests: { cpu: "5" } }), decision = decide(pod, world);
  t.true(decision.kind === "fits" && decision.node.name === "fifteen" && decision.feasible === 2 && decision.evaluated === 3);
  const [ten, fifteen] = scoreNodes(new PodInfo(pod), [world.cache.node("ten")!, world.cache.node("fifteen")!], world.cluster, world.profile);
  // Least allocated: half and two thirds of the CPU free, nearly all memory; balanced: |0.5-0|/2 and |0.333-0|/2 off.
  t.deepEqual([ten, fifteen], [74 + 75, 82 + 83]);
});

test("schedulePod() tells every reason with its number of nodes, sorted as upstream sorts", (t) => {
  const world = makeWorld([
    makeNode("a", { cpu: "1" }), makeNode("b", { cpu: "1", memory: "1Gi" }),
    makeNode("c", { taints: [{ key: "k", value: "secret", effect: "NoSchedule" }] }), makeNode("d", { unschedulable: true }), makeNode("e", { labels: { disk: "ssd" } }),
  ]);
  t.is(verdict(makePod("p", { requests: { cpu: "2", memory: "2Gi" }, spec: { nodeSelector: { disk: "none" } } }), world),
    "0/5 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 3 node(s) didn't match Pod's node affinity/selector.");
  t.is(verdict(makePod("p", { requests: { cpu: "8", memory: "2Gi" } }), world),
    "0/5 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, 3 Insufficient cpu.");
});

test("schedulePod() without nodes says so", (t) => {
  t.is(verdict(makePod("p"), makeWorld([])), "no nodes");
});

test("feasibleNodesWanted() is everything below 100 nodes and a shrinking share beyond, never less than 100", (t) => {
  t.deepEqual([1, 99, 100, 200, 1_000, 5_000, 100_000].map(feasibleNodesWanted), [1, 99, 100, 100, 420, 500, 5_000]);
});

test("schedulePod() starts its search where the last one ended, so that every node gets its turn", (t) => {
  const world = makeWorld(Array.from({ length: 300 }, (_, i) => makeNode(`n${i}`)));
  const counts = fill(Array.from({ length: 300 }, (_, i) => makePod(`p${i}`, { requests: { cpu: "1" } })), world);
  t.is(Object.keys(counts).length, 300);
});

test("schedulePod() breaks ties at random, evenly", (t) => {
  const world = makeWorld(["a", "b", "c", "d"].map((name) => makeNode(name)));
  let state = 1;
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const counts = new Map<string, number>();
  for (let i = 0; i < 2_000; i++) {
    const name = verdict(makePod("p"), { ...world, random });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  t.is(counts.size, 4);
  for (const count of counts.values()) t.true(count > 400 && count < 600, `${count}`);
});

test("the nominated node is tried first, and others leave its room to a pod at least as important", (t) => {
  const world = makeWorld([makeNode("a", { cpu: "2" }), makeNode("b", { cpu: "2" })]);
  world.nominations.set(makePodInfo("important", { priority: 10, requests: { cpu: "2" } }), "a");
  t.is(verdict(makePod("small", { requests: { cpu: "1" } }), world), "b");
  t.is(verdict(makePod("large", { requests: { cpu: "2" }, spec: { nodeSelector: { "kubernetes.io/hostname": "a" } } }), world), "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector.");
  t.is(verdict(makePod("greater", { priority: 11, requests: { cpu: "2" }, spec: { nodeSelector: { "kubernetes.io/hostname": "a" } } }), world), "a");
  const nominated = makePod("important", { priority: 10, requests: { cpu: "2" } });
  nominated.status!.nominatedNodeName = "a"; // By chance it would be b.
  t.is(verdict(nominated, world), "a");
  t.is(world.cache.node("a")!.pods.size, 0); // Nothing of the argument is left behind.
});

test("a pod that names its nodes in affinity fields is looked at there only, and the others are told apart", (t) => {
  const world = makeWorld([makeNode("a"), makeNode("b", { unschedulable: true }), makeNode("c")]);
  const on = (...values: string[]): ReturnType<typeof makePod> => makePod("p", { spec: { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: {
    nodeSelectorTerms: values.map((value) => ({ matchFields: [{ key: "metadata.name", operator: "In", values: [value] }] })) } } } } });
  t.is(verdict(on("c"), world), "c");
  t.is(verdict(on("b"), world), "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) didn't satisfy plugin(s) [NodeAffinity].");
  t.is(verdict(on("gone"), world), "0/3 nodes are available: 3 node(s) didn't satisfy plugin(s) [NodeAffinity].");
});
