import test from "ava";
import { daemonTolerations, isUpdated, newDaemonPod, nodeVerdict, targetNode } from "../../../../lib/controllers/daemonset/daemon-pods.ts";
import { makeNode, makePod } from "../build.ts";
import { daemonPod, makeDaemonSet } from "./build.ts";

const withSpec = (spec: object) => makeDaemonSet({ template: { metadata: { name: "", labels: { app: "agent" } }, spec: { containers: [{ name: "a", image: "i" }], ...spec } } });

test("daemonTolerations() adds those of a daemon once, without the template's limit of time, and the network's on the host's network", (t) => {
  const own = { key: "mine", operator: "Exists" }, limited = { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
  const all = daemonTolerations({ containers: [], tolerations: [own, limited] });
  t.deepEqual(all.slice(0, 2), [own, { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }]);
  t.is(all.length, 7);
  t.is(daemonTolerations({ containers: [], hostNetwork: true }).at(-1)!.key, "node.kubernetes.io/network-unavailable");
});

test("nodeVerdict() asks for name, affinity and taints; a pod that is there may go on unless a NoExecute taint drives it out", (t) => {
  const verdict = (set: ReturnType<typeof makeDaemonSet>, node: Parameters<typeof makeNode>[0]) => Object.values(nodeVerdict(set, makeNode(node)));
  t.deepEqual(verdict(makeDaemonSet(), {}), [true, true]);
  t.deepEqual(verdict(withSpec({ nodeName: "other" }), {}), [false, false]);
  t.deepEqual(verdict(withSpec({ nodeSelector: { "topology.kubernetes.io/zone": "a" } }), { zone: "b" }), [false, false]);
  t.deepEqual(verdict(makeDaemonSet(), { taints: [{ key: "own", effect: "NoSchedule" }] }), [false, true]);
  t.deepEqual(verdict(makeDaemonSet(), { taints: [{ key: "own", effect: "NoExecute" }] }), [false, false]);
  t.deepEqual(verdict(makeDaemonSet(), { taints: [{ key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }, { key: "node.kubernetes.io/unreachable", effect: "NoExecute" }] }), [true, true]);
});

test("newDaemonPod() is meant for one node by name, keeps preferences, and carries hash and generation", (t) => {
  const preferred = [{ weight: 1, preference: { matchExpressions: [{ key: "a", operator: "Exists" }] } }], required = { nodeSelectorTerms: [{ matchExpressions: [{ key: "b", operator: "Exists" }] }] };
  const set = withSpec({ affinity: { podAffinity: {}, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred, requiredDuringSchedulingIgnoredDuringExecution: required } } });
  set.metadata.annotations = { "deprecated.daemonset.template.generation": "7" };
  const pod = newDaemonPod(set, "n9", "abc");
  t.deepEqual(pod.spec.affinity, { podAffinity: {}, nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred, requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n9"] }] }] } } });
  t.like(pod.metadata, { generateName: "agent-", labels: { app: "agent", "controller-revision-hash": "abc", "pod-template-generation": "7" } });
  t.is(targetNode(pod), "n9");
  t.deepEqual(set.spec.template.metadata!.labels, { app: "agent" });
});

test("targetNode() is where the pod runs, else where it is meant to", (t) => {
  t.is(targetNode(makePod({ node: "n1" })), "n1");
  t.is(targetNode(makePod()), undefined);
});

test("isUpdated() goes by hash, or by the generation of the template", (t) => {
  const set = makeDaemonSet({}, { annotations: { "deprecated.daemonset.template.generation": "3" } }), pod = daemonPod("n1", "old");
  t.false(isUpdated(set, pod, "new"));
  t.true(isUpdated(set, daemonPod("n1"), "new"));
  pod.metadata.labels!["pod-template-generation"] = "3";
  t.true(isUpdated(set, pod, "new"));
});
