/** DaemonSets against a real API server. Re-told from kubernetes `test/integration/daemonset` and `test/e2e/apps/daemon_set.go`. */
import test from "ava";
import { controllerrevisions, daemonsets, events, nodes, pods } from "../../../lib/api/schema/generated/references.ts";
import type { DaemonSet, DaemonSetSpec, Pod, Taint } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start([], ["n1", "n2", "n3"]); });
test.after.always(async () => { await world.stop(); });

const make = (name: string, spec: Partial<DaemonSetSpec> = {}, image = "d:1"): Promise<DaemonSet> =>
  world.client.create(daemonsets, { metadata: { name, namespace: "default" }, spec: { selector: { matchLabels: { app: name } }, template: { metadata: { name: "", labels: { app: name } }, spec: { containers: [{ name: "d", image }] } }, ...spec } });
const podsOf = async (name: string): Promise<Pod[]> => (await world.list(pods, `app=${name}`)).filter((p) => p.metadata.deletionTimestamp === undefined);
const nodesOf = async (name: string): Promise<string[]> => (await podsOf(name)).map((p) => p.spec.nodeName ?? "").sort();
const settled = (name: string, count: number) => world.until(`${name} runs on ${count}`, async () => {
  const set = await world.get(daemonsets, name), { status } = set ?? {};
  return (status?.observedGeneration ?? 0) >= (set?.metadata.generation ?? 1) && status?.desiredNumberScheduled === count && status.currentNumberScheduled === count && (status.updatedNumberScheduled ?? 0) === count && (status.numberAvailable ?? 0) === count && set;
});
const setImage = (name: string, image: string): Promise<unknown> => world.client.patch(daemonsets, { namespace: "default", name }, "strategic", { spec: { template: { spec: { containers: [{ name: "d", image }] } } } });
const revisions = async (name: string) => (await world.list(controllerrevisions, `app=${name}`)).toSorted((a, b) => a.revision - b.revision);

test("a DaemonSet runs one pod on every node, bound by the scheduler through affinity, tolerating what is wrong with nodes", async (t) => {
  await make("every");
  const { status, metadata } = await settled("every", 3);
  t.like(status, { numberReady: 3, numberMisscheduled: 0, observedGeneration: 1 });
  t.is(status!.numberUnavailable, undefined);
  t.is(metadata.annotations!["deprecated.daemonset.template.generation"], "1");
  const mine = await podsOf("every");
  t.deepEqual(await nodesOf("every"), ["n1", "n2", "n3"]);
  for (const { spec, metadata: { labels } } of mine) {
    t.deepEqual(spec.affinity!.nodeAffinity!.requiredDuringSchedulingIgnoredDuringExecution!.nodeSelectorTerms, [{ matchFields: [{ key: "metadata.name", operator: "In", values: [spec.nodeName!] }] }]);
    t.deepEqual(spec.tolerations!.map((x) => `${x.key!.replace("node.kubernetes.io/", "")}:${x.effect}`), ["not-ready:NoExecute", "unreachable:NoExecute", "disk-pressure:NoSchedule", "memory-pressure:NoSchedule", "pid-pressure:NoSchedule", "unschedulable:NoSchedule"]);
    t.deepEqual([labels!["pod-template-generation"], labels!["controller-revision-hash"]], ["1", (await revisions("every"))[0]!.metadata.labels!["controller-revision-hash"]]);
  }
});

test("a new template replaces pods within maxUnavailable, and an old one that is asked for again becomes the newest revision", async (t) => {
  await make("roll");
  await settled("roll", 3);
  const [first] = await revisions("roll");
  await setImage("roll", "d:2");
  await settled("roll", 3);
  t.true((await podsOf("roll")).every((p) => p.spec.containers[0]!.image === "d:2"));
  t.deepEqual((await revisions("roll")).map((r) => r.revision), [1, 2]);
  // What `kubectl rollout undo` does: the revision's data is a strategic patch.
  await world.client.patch(daemonsets, { namespace: "default", name: "roll" }, "strategic", first!.data);
  await settled("roll", 3);
  t.true((await podsOf("roll")).every((p) => p.spec.containers[0]!.image === "d:1"));
  t.deepEqual((await revisions("roll")).map((r) => [r.revision, r.metadata.name === first!.metadata.name]), [[2, false], [3, true]]);
});

test("a template that never becomes ready stops after maxUnavailable pods", async (t) => {
  world.broken.add("d:broken");
  await make("stuck");
  await settled("stuck", 3);
  await setImage("stuck", "d:broken");
  const set = await world.until("one replaced", async () => { const s = await world.get(daemonsets, "stuck"); return s?.status?.observedGeneration === 2 && s.status.updatedNumberScheduled === 1 && s; });
  t.like(set.status, { numberAvailable: 2, numberUnavailable: 1 });
  t.deepEqual((await podsOf("stuck")).map((p) => p.spec.containers[0]!.image ?? "").sort(), ["d:1", "d:1", "d:broken"]);
});

test("with maxSurge a new pod comes before the old one goes", async (t) => {
  await make("surge", { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } });
  await settled("surge", 3);
  world.broken.add("d:unready");
  await setImage("surge", "d:unready");
  await world.until("one beside the old", async () => (await podsOf("surge")).length === 4);
  t.is((await world.get(daemonsets, "surge"))!.status!.numberAvailable, 3);
  await setImage("surge", "d:3");
  await settled("surge", 3);
  await world.until("old gone", async () => (await podsOf("surge")).length === 3);
  t.true((await podsOf("surge")).every((p) => p.spec.containers[0]!.image === "d:3"));
});

test("OnDelete leaves old pods until somebody deletes them", async (t) => {
  await make("ondelete", { updateStrategy: { type: "OnDelete" } });
  await settled("ondelete", 3);
  await setImage("ondelete", "d:2");
  await world.until("seen", async () => { const s = await world.get(daemonsets, "ondelete"); return s?.status?.observedGeneration === 2 && (s.status.updatedNumberScheduled ?? 0) === 0; });
  const [victim] = await podsOf("ondelete");
  await world.client.delete(pods, victim!.metadata);
  await world.until("replaced by new", async () => (await world.get(daemonsets, "ondelete"))!.status!.updatedNumberScheduled === 1);
  t.deepEqual((await podsOf("ondelete")).map((p) => p.spec.containers[0]!.image ?? "").sort(), ["d:1", "d:1", "d:2"]);
});

test("history beyond its limit goes, but no revision that a pod still runs", async (t) => {
  await make("history", { revisionHistoryLimit: 1 });
  await settled("history", 3);
  for (const image of ["d:2", "d:3", "d:4"]) { await setImage("history", image); await settled("history", 3); }
  await world.until("cut", async () => (await revisions("history")).length === 2);
  t.deepEqual((await revisions("history")).map((r) => r.revision), [3, 4]);
});

test("labels of nodes decide, as they change", async (t) => {
  const label = (value: string | null): Promise<unknown> => world.client.patch(nodes, { name: "n2" }, "merge", { metadata: { labels: { disk: value } } });
  await make("chosen", { template: { metadata: { name: "", labels: { app: "chosen" } }, spec: { nodeSelector: { disk: "fast" }, containers: [{ name: "d", image: "d:1" }] } } });
  await settled("chosen", 0);
  await label("fast");
  await settled("chosen", 1);
  t.deepEqual(await nodesOf("chosen"), ["n2"]);
  await label(null);
  await settled("chosen", 0);
  await world.until("gone", async () => (await podsOf("chosen")).length === 0);
});

test.serial("a taint keeps new pods away, and only NoExecute drives out those that are there", async (t) => {
  const taint = (taints: Taint[]): Promise<unknown> => world.client.patch(nodes, { name: "tainted" }, "merge", { spec: { taints } });
  await world.addNode("tainted");
  await make("taints", { template: { metadata: { name: "", labels: { app: "taints" } }, spec: { nodeSelector: { "kubernetes.io/hostname": "tainted" }, containers: [{ name: "d", image: "d:1" }] } } });
  await world.client.patch(nodes, { name: "tainted" }, "merge", { metadata: { labels: { "kubernetes.io/hostname": "tainted" } } });
  await settled("taints", 1);
  await taint([{ key: "own", effect: "NoSchedule" }]);
  await world.until("misscheduled", async () => (await world.get(daemonsets, "taints"))!.status!.numberMisscheduled === 1);
  t.is((await podsOf("taints")).length, 1);
  await taint([{ key: "own", effect: "NoExecute" }]);
  await world.until("driven out", async () => (await podsOf("taints")).length === 0);
  await world.client.delete(nodes, { name: "tainted" }); // The others count on three.
});

test("a failed pod is replaced, and an event says so", async (t) => {
  await make("fails");
  await settled("fails", 3);
  const [pod] = await podsOf("fails");
  await world.client.patch(pods, pod!.metadata, "strategic", { status: { phase: "Failed" } }, { subresource: "status" });
  await world.until("replaced", async () => { const all = await podsOf("fails"); return all.length === 3 && !all.some((p) => p.metadata.uid === pod!.metadata.uid); });
  const message = `Found failed daemon pod default/${pod!.metadata.name} on node ${pod!.spec.nodeName}, will try to kill it`;
  await world.until("event", async () => (await world.list(events)).some((e) => e.reason === "FailedDaemonPod" && e.message === message));
  t.pass();
});

test("deleting a DaemonSet takes its pods and revisions along", async (t) => {
  await make("leaves");
  await settled("leaves", 3);
  await world.client.delete(daemonsets, { namespace: "default", name: "leaves" }, { propagationPolicy: "Background" });
  await world.until("all gone", async () => (await world.list(pods, "app=leaves")).length === 0 && (await revisions("leaves")).length === 0);
  t.pass();
});
