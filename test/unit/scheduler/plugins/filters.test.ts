import test from "ava";
import { makeNode, makePod, makeWorld, verdict, type NodeOptions, type PodOptions } from "../builders.ts";
import type { Affinity, PodAffinityTerm } from "../../../../lib/api/schema/generated/models.ts";

const one = (node: NodeOptions, pod: PodOptions, there: ReturnType<typeof makePod>[] = []): string => verdict(makePod("p", pod), makeWorld([makeNode("n", node)], there));
const why = (reason: string): string => `0/1 nodes are available: 1 ${reason}.`;

test("NodeUnschedulable keeps pods off cordoned nodes unless they tolerate it", (t) => {
  t.is(one({ unschedulable: true }, {}), why("node(s) were unschedulable"));
  t.is(one({ unschedulable: true }, { spec: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] } }), "n");
});

test("TaintToleration refuses NoSchedule and NoExecute, not PreferNoSchedule, without telling the taint", (t) => {
  const taint = (effect: string): NodeOptions => ({ taints: [{ key: "team", value: "db", effect }] });
  for (const effect of ["NoSchedule", "NoExecute"]) t.is(one(taint(effect), {}), why("node(s) had untolerated taint(s)"));
  t.is(one(taint("PreferNoSchedule"), {}), "n");
  t.is(one(taint("NoSchedule"), { spec: { tolerations: [{ key: "team", value: "db" }] } }), "n");
  t.is(one(taint("NoSchedule"), { spec: { tolerations: [{ key: "team", value: "web" }] } }), why("node(s) had untolerated taint(s)"));
});

test("NodePorts refuses a port that is taken, on the same address or on all, of the same protocol", (t) => {
  const holder = (hostIP: string | undefined, protocol = "TCP"): ReturnType<typeof makePod> =>
    makePod("there", { node: "n", spec: { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80, protocol, ...(hostIP === undefined ? {} : { hostIP }) }] }] } });
  const asks = (hostIP?: string): PodOptions => ({ spec: { containers: [{ name: "c", ports: [{ containerPort: 1, hostPort: 80, ...(hostIP === undefined ? {} : { hostIP }) }] }] } });
  const taken = why("node(s) didn't have free ports for the requested pod ports");
  t.is(one({}, asks(), [holder(undefined)]), taken);
  t.is(one({}, asks("10.0.0.1"), [holder(undefined)]), taken);
  t.is(one({}, asks(), [holder("10.0.0.1")]), taken);
  t.is(one({}, asks("10.0.0.2"), [holder("10.0.0.1")]), "n");
  t.is(one({}, asks(), [holder(undefined, "UDP")]), "n");
});

test("NodeResourcesFit names what is missing, counts what runs there, and the number of pods", (t) => {
  t.is(one({ cpu: "1", memory: "1Gi" }, { requests: { cpu: "2", memory: "2Gi", "example.com/gpu": "1" } }), "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient example.com/gpu, 1 Insufficient memory.");
  t.is(one({ cpu: "2" }, { requests: { cpu: "1500m" } }, [makePod("there", { node: "n", requests: { cpu: "600m" } })]), why("Insufficient cpu"));
  t.is(one({ cpu: "2" }, { requests: { cpu: "1400m" } }, [makePod("there", { node: "n", requests: { cpu: "600m" } })]), "n");
  t.is(one({ pods: "1" }, {}, [makePod("there", { node: "n" })]), why("Too many pods"));
  t.is(one({ cpu: "1" }, {}, [makePod("there", { node: "n", requests: { cpu: "1" } })]), "n"); // Asking nothing always fits.
});

test("NodeAffinity reads nodeSelector and required terms together", (t) => {
  const required = (...nodeSelectorTerms: object[]): Affinity => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } });
  const ssd = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd", "nvme"] }] };
  const mismatch = why("node(s) didn't match Pod's node affinity/selector");
  t.is(one({ labels: { disk: "ssd" } }, { spec: { affinity: required(ssd) } }), "n");
  t.is(one({ labels: { disk: "hdd" } }, { spec: { affinity: required(ssd) } }), mismatch);
  t.is(one({ labels: { disk: "ssd" } }, { spec: { affinity: required(ssd), nodeSelector: { rack: "1" } } }), mismatch);
  t.is(one({}, { spec: { affinity: required({}) } }), mismatch); // A term that asks nothing allows nothing.
});

test("SchedulingGates and a conflict of node names end before any node is looked at", (t) => {
  const nowhere: Affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }, { key: "metadata.name", operator: "In", values: ["b"] }] }] } } };
  t.is(one({}, { spec: { affinity: nowhere } }), "0/1 nodes are available: pod affinity terms conflict.");
});

const web = (topologyKey: string, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({ topologyKey, labelSelector: { matchLabels: { app: "web" } }, ...more });
const zones = [makeNode("a1", { zone: "a" }), makeNode("a2", { zone: "a" }), makeNode("b1", { zone: "b" })];
const ZONE = "topology.kubernetes.io/zone";

test("InterPodAffinity keeps a pod near, far, and away from those that want it away", (t) => {
  const there = makePod("there", { node: "a1", labels: { app: "web" } });
  const near: Affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [web(ZONE)] } };
  const far: Affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [web(ZONE)] } };
  t.regex(verdict(makePod("p", { spec: { affinity: near } }), makeWorld(zones, [there])), /^a/);
  t.is(verdict(makePod("p", { spec: { affinity: far } }), makeWorld(zones, [there])), "b1");
  t.is(verdict(makePod("p", { spec: { affinity: far } }), makeWorld(zones.slice(0, 2), [there])), "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.");
  t.is(verdict(makePod("p", { spec: { affinity: near } }), makeWorld(zones.slice(2), [])), why("node(s) didn't match pod affinity rules"));
  const hermit = makePod("hermit", { node: "a1", spec: { affinity: far } });
  t.is(verdict(makePod("p", { labels: { app: "web" } }), makeWorld(zones, [hermit])), "b1");
  t.is(verdict(makePod("p", { labels: { app: "web" } }), makeWorld(zones.slice(0, 2), [hermit])), "0/2 nodes are available: 2 node(s) didn't satisfy existing pods anti-affinity rules.");
});

test("InterPodAffinity lets the first of a group in, but only where the topology label is", (t) => {
  const near: Affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [web(ZONE)] } };
  t.is(verdict(makePod("first", { labels: { app: "web" }, spec: { affinity: near } }), makeWorld([makeNode("bare"), ...zones.slice(2)])), "b1");
});

test("InterPodAffinity means the pod's own namespace unless it names others, by name or by label", (t) => {
  const there = makePod("there", { node: "a1", namespace: "other", labels: { app: "web" } });
  const far = (more: Partial<PodAffinityTerm>): Affinity => ({ podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [web(ZONE, more)] } });
  const on = (more: Partial<PodAffinityTerm>): string => verdict(makePod("p", { spec: { affinity: far(more) } }), makeWorld(zones.slice(0, 2), [there], { namespaces: { other: { team: "x" } } }));
  const apart = "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.";
  t.regex(on({}), /^a/);
  t.is(on({ namespaces: ["other"] }), apart);
  t.is(on({ namespaceSelector: { matchLabels: { team: "x" } } }), apart);
  t.regex(on({ namespaceSelector: { matchLabels: { team: "y" } } }), /^a/);
  t.is(on({ namespaceSelector: {} }), apart);
});

test("InterPodAffinity.matchLabelKeys keeps apart only what has the same value as the pod", (t) => {
  const there = makePod("there", { node: "a1", labels: { app: "web", version: "1" } });
  const affinity: Affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [web(ZONE, { matchLabelKeys: ["version"] })] } };
  const on = (version: string): string => verdict(makePod("p", { labels: { app: "web", version }, spec: { affinity } }), makeWorld(zones.slice(0, 2), [there]));
  t.regex(on("2"), /^a/);
  t.regex(on("1"), /^0\/2/);
});
