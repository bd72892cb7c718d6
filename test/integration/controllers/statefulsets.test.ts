/** StatefulSets against a real API server. Re-told from kubernetes `test/integration/statefulset` and `test/e2e/apps/statefulset.go`. */
import test from "ava";
import { controllerrevisions, events, persistentvolumeclaims, pods, statefulsets } from "../../../lib/api/schema/generated/references.ts";
import type { Pod, StatefulSet, StatefulSetSpec } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); world.broken.add("s:broken"); });
test.after.always(async () => { await world.stop(); });

const template = (name: string, image: string) => ({ metadata: { name: "", labels: { app: name } }, spec: { containers: [{ name: "s", image }] } });
const make = (name: string, spec: Partial<StatefulSetSpec> = {}, image = "s:1"): Promise<StatefulSet> =>
  world.client.create(statefulsets, { metadata: { name, namespace: "default" }, spec: { serviceName: name, selector: { matchLabels: { app: name } }, template: template(name, image), ...spec } });
const change = (name: string, spec: object): Promise<unknown> => world.client.patch(statefulsets, { namespace: "default", name }, "merge", { spec });
const setImage = (name: string, image: string): Promise<unknown> => change(name, { template: template(name, image) });
const podsOf = async (name: string): Promise<Pod[]> => (await world.list(pods, `app=${name}`)).filter((p) => p.metadata.deletionTimestamp === undefined).toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
const imagesOf = async (name: string): Promise<string[]> => (await podsOf(name)).map((p) => p.spec.containers[0]!.image ?? "");
const claimsOf = async (name: string): Promise<string[]> => (await world.list(persistentvolumeclaims, `app=${name}`)).filter((c) => c.metadata.deletionTimestamp === undefined).map((c) => c.metadata.name).sort();
const settled = (name: string, replicas: number) => world.until(`${name} has ${replicas}`, async () => {
  const set = await world.get(statefulsets, name), { status } = set ?? {};
  return (status?.observedGeneration ?? 0) >= (set?.metadata.generation ?? 1) && status?.replicas === replicas && (status.readyReplicas ?? 0) === replicas && (status.updatedReplicas ?? 0) === replicas && status.currentRevision === status.updateRevision && set;
});

test("pods come in order, each with its name, host and labels, and go from the highest", async (t) => {
  await make("ordered", { replicas: 3 });
  const { status } = await settled("ordered", 3);
  t.like(status, { replicas: 3, readyReplicas: 3, currentReplicas: 3, updatedReplicas: 3, availableReplicas: 3, collisionCount: 0 });
  const mine = await podsOf("ordered");
  t.deepEqual(mine.map((p) => [p.metadata.name, p.spec.hostname, p.spec.subdomain, p.metadata.labels!["apps.kubernetes.io/pod-index"], p.metadata.labels!["controller-revision-hash"]]), [0, 1, 2].map((i) => [`ordered-${i}`, `ordered-${i}`, "ordered", String(i), status!.updateRevision]));
  const made = mine.map((p) => Number(p.metadata.resourceVersion));
  t.true(made[0]! < made[2]!);
  await change("ordered", { replicas: 1 });
  await settled("ordered", 1);
  t.deepEqual((await podsOf("ordered")).map((p) => p.metadata.name), ["ordered-0"]);
  await world.until("told", async () => { const all = (await world.list(events)).filter((e) => e.involvedObject.name === "ordered").map((e) => e.message); return all.includes("create Pod ordered-0 in StatefulSet ordered successful") && all.includes("delete Pod ordered-2 in StatefulSet ordered successful"); });
});

test("a pod that never becomes ready holds up those after it, in order only", async (t) => {
  await make("held", { replicas: 2 }, "s:broken");
  await make("unheld", { replicas: 2, podManagementPolicy: "Parallel" }, "s:broken");
  await world.until("both in parallel", async () => (await podsOf("unheld")).length === 2);
  t.deepEqual((await podsOf("held")).map((p) => p.metadata.name), ["held-0"]);
});

test("a new template replaces from the highest down to the partition, and back under its old revision", async (t) => {
  await make("roll", { replicas: 3, updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } });
  const first = await settled("roll", 3);
  await setImage("roll", "s:2");
  await world.until("one updated", async () => { const s = (await world.get(statefulsets, "roll"))!.status!; return s.updatedReplicas === 1 && s.readyReplicas === 3; });
  t.deepEqual(await imagesOf("roll"), ["s:1", "s:1", "s:2"]);
  await world.client.delete(pods, { namespace: "default", name: "roll-0" });
  await world.until("made as it was", async () => { const all = await podsOf("roll"); return all.length === 3 && all.every((p) => p.status?.phase === "Running") && (await world.get(statefulsets, "roll"))!.status!.readyReplicas === 3; });
  t.deepEqual(await imagesOf("roll"), ["s:1", "s:1", "s:2"]);
  await change("roll", { updateStrategy: { rollingUpdate: { partition: 0 } } });
  await settled("roll", 3);
  t.deepEqual(await imagesOf("roll"), ["s:2", "s:2", "s:2"]);
  // What `kubectl rollout undo` does: the revision's data is a strategic patch.
  const old = (await world.get(controllerrevisions, first.status!.currentRevision!))!;
  await world.client.patch(statefulsets, { namespace: "default", name: "roll" }, "strategic", old.data);
  const back = await settled("roll", 3);
  t.is(back.status!.currentRevision, old.metadata.name);
  t.is((await world.get(controllerrevisions, old.metadata.name))!.revision, 3);
});

test("OnDelete leaves old pods until somebody deletes them", async (t) => {
  await make("ondelete", { replicas: 2, updateStrategy: { type: "OnDelete" } });
  await settled("ondelete", 2);
  await setImage("ondelete", "s:2");
  await world.until("seen", async () => { const s = (await world.get(statefulsets, "ondelete"))!.status!; return s.observedGeneration === 2 && (s.updatedReplicas ?? 0) === 0; });
  await world.client.delete(pods, { namespace: "default", name: "ondelete-1" });
  await world.until("replaced", async () => (await world.get(statefulsets, "ondelete"))!.status!.updatedReplicas === 1);
  t.deepEqual(await imagesOf("ondelete"), ["s:1", "s:2"]);
});

test("each pod has a claim of its own, which stays, or goes as the retention policy says", async (t) => {
  const volumeClaimTemplates = [{ metadata: { name: "data" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }];
  await make("keeps", { replicas: 2, volumeClaimTemplates });
  await settled("keeps", 2);
  t.deepEqual(await claimsOf("keeps"), ["data-keeps-0", "data-keeps-1"]);
  t.deepEqual((await podsOf("keeps")).map((p) => p.spec.volumes!.find((v) => v.name === "data")!.persistentVolumeClaim!.claimName), ["data-keeps-0", "data-keeps-1"]);
  await change("keeps", { replicas: 1 });
  await settled("keeps", 1);
  t.deepEqual(await claimsOf("keeps"), ["data-keeps-0", "data-keeps-1"]);
  await make("drops", { replicas: 2, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy: { whenScaled: "Delete", whenDeleted: "Delete" } });
  await settled("drops", 2);
  await world.until("owned by the set", async () => (await world.list(persistentvolumeclaims, "app=drops")).every((c) => c.metadata.ownerReferences?.[0]?.kind === "StatefulSet"));
  await change("drops", { replicas: 1 });
  await settled("drops", 1);
  await world.until("scaled away", async () => (await claimsOf("drops")).join() === "data-drops-0");
  await world.client.delete(statefulsets, { namespace: "default", name: "drops" }, { propagationPolicy: "Background" });
  await world.until("deleted", async () => (await claimsOf("drops")).length === 0 && (await podsOf("drops")).length === 0);
});

test("a pod that is deleted or has failed comes back under its name", async (t) => {
  await make("heals", { replicas: 1 });
  await settled("heals", 1);
  const [first] = await podsOf("heals");
  await world.client.patch(pods, first!.metadata, "strategic", { status: { phase: "Failed" } }, { subresource: "status" });
  const again = await world.until("back", async () => { const [pod] = await podsOf("heals"); return pod !== undefined && pod.metadata.uid !== first!.metadata.uid && pod; });
  t.is(again.metadata.name, "heals-0");
});
