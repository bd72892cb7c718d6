import test from "ava";
import { PodInfo } from "../../../../lib/scheduler/cache/pod-info.ts";
import type { Plugin } from "../../../../lib/scheduler/framework/plugin.ts";
import { imageLocality, imageName } from "../../../../lib/scheduler/plugins/image-locality.ts";
import { interPodAffinity } from "../../../../lib/scheduler/plugins/inter-pod-affinity.ts";
import { nodeAffinity } from "../../../../lib/scheduler/plugins/node-affinity.ts";
import { nodeResourcesBalancedAllocation } from "../../../../lib/scheduler/plugins/node-resources-balanced-allocation.ts";
import { nodeResourcesFit } from "../../../../lib/scheduler/plugins/node-resources-fit.ts";
import { taintToleration } from "../../../../lib/scheduler/plugins/taint-toleration.ts";
import { makeNode, makePod, makeWorld } from "../builders.ts";

function scores(plugin: Plugin, pod: ReturnType<typeof makePod>, nodes: ReturnType<typeof makeNode>[], there: ReturnType<typeof makePod>[] = []): number[] | undefined {
  const world = makeWorld(nodes, there), infos = nodes.map(({ metadata }) => world.cache.node(metadata.name)!);
  const cycle = plugin.beginScore!(new PodInfo(pod), infos, world.cluster);
  if (cycle === undefined) return undefined;
  const values = infos.map((info) => cycle.score(info));
  cycle.normalize?.(values, infos);
  return values;
}

test("NodeResourcesFit scores what stays free, counting 100m and 200Mi for a pod that asks nothing", (t) => {
  const nodes = [makeNode("a", { cpu: "4", memory: "10000Mi" }), makeNode("b", { cpu: "4", memory: "10000Mi" })];
  t.deepEqual(scores(nodeResourcesFit, makePod("p", { requests: { cpu: "3", memory: "5000Mi" } }), nodes, [makePod("t", { node: "b", requests: { cpu: "1", memory: "1000Mi" } })]), [37, 20]);
  t.deepEqual(scores(nodeResourcesFit, makePod("p"), nodes), [97, 97]); // (97 + 98) / 2
});

test("NodeResourcesBalancedAllocation prefers even use, and has nothing to say of pods that ask nothing", (t) => {
  const nodes = [makeNode("a", { cpu: "4", memory: "4Gi" }), makeNode("b", { cpu: "8", memory: "4Gi" })];
  t.deepEqual(scores(nodeResourcesBalancedAllocation, makePod("p", { requests: { cpu: "2", memory: "2Gi" } }), nodes), [100, 87]);
  t.is(scores(nodeResourcesBalancedAllocation, makePod("p"), nodes), undefined);
});

test("TaintToleration prefers nodes with fewer discouraging taints that are not tolerated", (t) => {
  const taint = (key: string): { key: string; effect: string } => ({ key, effect: "PreferNoSchedule" });
  const nodes = [makeNode("a"), makeNode("b", { taints: [taint("x")] }), makeNode("c", { taints: [taint("x"), taint("y")] })];
  t.deepEqual(scores(taintToleration, makePod("p"), nodes), [100, 50, 0]);
  t.deepEqual(scores(taintToleration, makePod("p", { spec: { tolerations: [{ key: "x", operator: "Exists" }] } }), nodes), [100, 100, 0]);
});

test("NodeAffinity sums the weights of preferred terms", (t) => {
  const preferred = (key: string, weight: number): object => ({ weight, preference: { matchExpressions: [{ key, operator: "Exists" }] } });
  const pod = makePod("p", { spec: { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preferred("x", 10), preferred("y", 30)] as never } } } });
  t.deepEqual(scores(nodeAffinity, pod, [makeNode("a"), makeNode("b", { labels: { x: "" } }), makeNode("c", { labels: { x: "", y: "" } })]), [0, 25, 100]);
});

test("InterPodAffinity weighs wishes of the pod and of those that run, near and far", (t) => {
  const term = (app: string): object => ({ topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app } } });
  const pod = makePod("p", { labels: { app: "web" }, spec: { affinity: {
    podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term("cache") as never }] },
    podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, podAffinityTerm: term("noisy") as never }] },
  } } });
  const nodes = [makeNode("a"), makeNode("b"), makeNode("c")];
  t.deepEqual(scores(interPodAffinity, pod, nodes, [makePod("c", { node: "a", labels: { app: "cache" } }), makePod("n", { node: "c", labels: { app: "noisy" } })]), [100, 50, 0]);
  const fan = makePod("fan", { node: "b", spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term("web") as never] } } } });
  t.deepEqual(scores(interPodAffinity, makePod("p", { labels: { app: "web" } }), nodes, [fan]), [0, 100, 0]);
});

test("ImageLocality prefers a node that has the image, the more so the more nodes have it", (t) => {
  const nodes = [makeNode("a", { images: { "nginx:latest": 600 * 1024 * 1024 } }), makeNode("b")];
  t.deepEqual(scores(imageLocality, makePod("p", { image: "nginx" }), nodes), [28, 0]); // (300 - 23) / (1000 - 23)
  t.is(scores(imageLocality, makePod("p", { image: "other" }), nodes), undefined);
  t.deepEqual(["nginx", "host:5000/nginx", "nginx:1", "nginx@sha256:ab"].map(imageName), ["nginx:latest", "host:5000/nginx:latest", "nginx:1", "nginx@sha256:ab"]);
});
