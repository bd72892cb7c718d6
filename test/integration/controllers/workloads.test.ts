import test from "ava";
import { configmaps, deployments, endpoints, endpointslices, events, namespaces, nodes, pods, replicasets, replicationcontrollers, secrets, serviceaccounts, services } from "../../../lib/api/schema/generated/references.ts";
import type { ConfigMap } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(); });
test.after.always(async () => { await world.stop(); });

const ready = (name: string, replicas: number) => async () => {
  const d = await world.get(deployments, name);
  return (d?.status?.observedGeneration ?? 0) >= (d?.metadata.generation ?? 1) && (d?.status?.replicas ?? 0) === replicas && (d?.status?.availableReplicas ?? 0) === replicas && (d?.status?.updatedReplicas ?? 0) === replicas && d;
};
const setImage = (name: string, image: string): Promise<unknown> => world.client.patch(deployments, { namespace: "default", name }, "strategic", { spec: { template: { spec: { containers: [{ name: "web", image }] } } } });

test("a namespace has its service account and root CA at once, and again when they are deleted", async (t) => {
  await world.client.create(namespaces, { metadata: { name: "fresh" }, spec: {} });
  const account = await world.until("account", () => world.get(serviceaccounts, "default", "fresh"));
  await world.until("root CA", () => world.get(configmaps, "kube-root-ca.crt", "fresh"));
  await world.client.delete(serviceaccounts, account.metadata);
  await world.client.delete(configmaps, { namespace: "fresh", name: "kube-root-ca.crt" });
  const again = await world.until("account again", () => world.get(serviceaccounts, "default", "fresh"));
  t.not(again.metadata.uid, account.metadata.uid);
  t.is((await world.until("root CA again", () => world.get(configmaps, "kube-root-ca.crt", "fresh"))).data!["ca.crt"], world.server.caPem);
});

test("every node has a pod range of its own", async (t) => {
  const ranges = await world.until("ranges", async () => { const list = (await world.list(nodes)).map((n) => n.spec.podCIDR); return list.every((r) => r !== undefined) && list; });
  t.deepEqual(ranges.sort(), ["10.244.0.0/24", "10.244.1.0/24"]);
});

test("a deployment becomes available, rolls to a new image, keeps its history, and rolls back under its old set", async (t) => {
  await world.deployment("roll", 4);
  await world.until("available", ready("roll", 4));
  const [first] = await world.list(replicasets, "app=roll");
  t.regex(first!.metadata.name, /^roll-[bcdfghjklmnpqrstvwxz2456789]+$/);
  await setImage("roll", "nginx:2");
  const rolled = await world.until("rolled", async () => { const d = await ready("roll", 4)(); return d && d.metadata.annotations?.["deployment.kubernetes.io/revision"] === "2" && d; });
  t.like(rolled.status!.conditions!.find((c) => c.type === "Progressing"), { status: "True", reason: "NewReplicaSetAvailable" });
  t.deepEqual((await world.list(replicasets, "app=roll")).map((rs) => rs.spec.replicas).sort((a, b) => a! - b!), [0, 4]);
  await setImage("roll", "nginx:1");
  await world.until("rolled back", async () => { const rs = await world.get(replicasets, first!.metadata.name); return rs?.metadata.annotations?.["deployment.kubernetes.io/revision"] === "3" && rs.status?.availableReplicas === 4; });
  t.is((await world.get(replicasets, first!.metadata.name))!.metadata.annotations!["deployment.kubernetes.io/revision-history"], "1");
  const told = (await world.list(events)).filter((e) => e.involvedObject.name === "roll").map((e) => e.message);
  t.true(told.includes(`Scaled up replica set ${first!.metadata.name} from 0 to 4`));
});

test("a rollout to an image that never becomes ready stops within its bounds and says so at its deadline", async (t) => {
  world.broken.add("broken:1");
  await world.deployment("stuck", 4);
  await world.until("available", ready("stuck", 4));
  await world.client.patch(deployments, { namespace: "default", name: "stuck" }, "strategic", { spec: { progressDeadlineSeconds: 2, template: { spec: { containers: [{ name: "web", image: "broken:1" }] } } } });
  const failed = await world.until("deadline", async () => { const d = await world.get(deployments, "stuck"); return d?.status?.conditions?.some((c) => c.reason === "ProgressDeadlineExceeded") === true && d; });
  t.true(failed.status!.availableReplicas! >= 3); // maxUnavailable 25 % of 4.
  t.true(failed.status!.replicas! <= 5);
});

test("a Recreate deployment never runs two versions at once", async (t) => {
  await world.deployment("alone", 2, { strategy: { type: "Recreate" } });
  await world.until("available", ready("alone", 2));
  await setImage("alone", "nginx:2");
  await world.until("recreated", async () => {
    const images = new Set((await world.list(pods, "app=alone")).map((p) => p.spec.containers[0]!.image));
    t.true(images.size <= 1);
    return images.has("nginx:2") && ready("alone", 2)();
  });
});

test("a deleted pod is replaced, an orphan that matches is adopted, and one whose labels change is let go", async (t) => {
  await world.deployment("heal", 2);
  await world.until("available", ready("heal", 2));
  const [victim, strayed] = await world.list(pods, "app=heal");
  await world.client.delete(pods, victim!.metadata);
  await world.until("replaced", async () => !(await world.list(pods, "app=heal")).some((p) => p.metadata.uid === victim!.metadata.uid) && ready("heal", 2)());
  await world.client.patch(pods, strayed!.metadata, "merge", { metadata: { labels: { app: "strayed" } } });
  await world.until("let go", async () => ((await world.get(pods, strayed!.metadata.name))?.metadata.ownerReferences ?? []).length === 0);
  await world.until("made up for", ready("heal", 2));
  await world.client.patch(pods, strayed!.metadata, "merge", { metadata: { labels: { app: "heal" } } });
  await world.until("one too many is gone", async () => (await world.list(pods, "app=heal")).filter((p) => p.metadata.deletionTimestamp === undefined).length === 2);
  t.pass();
});

test("endpoints follow pods: in when ready, out when deleted, gone with the Service", async (t) => {
  await world.deployment("ep", 3);
  await world.client.create(services, { metadata: { name: "ep", namespace: "default" }, spec: { selector: { app: "ep" }, ports: [{ port: 80, targetPort: 8080 }] } });
  const addresses = async (): Promise<string[]> => (await world.list(endpointslices, "kubernetes.io/service-name=ep")).flatMap((s) => (s.endpoints ?? []).filter((e) => e.conditions?.ready === true).flatMap((e) => e.addresses)).sort();
  const expected = async (): Promise<string[]> => (await world.list(pods, "app=ep")).filter((p) => p.metadata.deletionTimestamp === undefined && p.status?.podIP !== undefined).map((p) => p.status!.podIP!).sort();
  const agree = async (count: number): Promise<boolean> => { const [a, e] = [await addresses(), await expected()]; return a.length === count && JSON.stringify(a) === JSON.stringify(e); };
  await world.until("three endpoints", () => agree(3));
  t.deepEqual((await world.until("Endpoints too", async () => { const e = await world.get(endpoints, "ep"); return e?.subsets?.[0]?.addresses?.length === 3 && e; })).subsets![0]!.ports, [{ port: 8080, protocol: "TCP" }]);
  await world.client.patch(deployments, { namespace: "default", name: "ep" }, "merge", { spec: { replicas: 1 } });
  await world.until("one endpoint", () => agree(1));
  await world.client.delete(services, { namespace: "default", name: "ep" });
  await world.until("nothing left", async () => (await world.list(endpointslices, "kubernetes.io/service-name=ep")).length === 0 && (await world.get(endpoints, "ep")) === undefined);
});

test("deleting in the background takes sets and pods along, in the foreground after them, as an orphan not at all", async (t) => {
  for (const name of ["background", "foreground", "orphan"]) { await world.deployment(name, 2); await world.until(name, ready(name, 2)); }
  await world.client.delete(deployments, { namespace: "default", name: "background" }, { propagationPolicy: "Background" });
  await world.until("all gone", async () => (await world.list(pods, "app=background")).length === 0 && (await world.list(replicasets, "app=background")).length === 0);
  await world.client.delete(deployments, { namespace: "default", name: "foreground" }, { propagationPolicy: "Foreground" });
  await world.until("owner gone last", async () => {
    if ((await world.get(deployments, "foreground")) !== undefined) return false;
    t.is((await world.list(replicasets, "app=foreground")).length, 0);
    return true;
  });
  await world.client.delete(deployments, { namespace: "default", name: "orphan" }, { propagationPolicy: "Orphan" });
  await world.until("orphaned", async () => (await world.get(deployments, "orphan")) === undefined);
  const [left] = await world.list(replicasets, "app=orphan");
  t.deepEqual(left!.metadata.ownerReferences ?? [], []);
  t.is((await world.list(pods, "app=orphan")).length, 2);
});

test("an object loses only the owner that is gone, and an owner that never was counts as gone", async (t) => {
  const make = (name: string, owners: { name: string; uid: string }[] = []): Promise<ConfigMap> => world.client.create(configmaps, { metadata: { name, namespace: "default", ownerReferences: owners.map((o) => ({ apiVersion: "v1", kind: "ConfigMap", ...o })) } });
  const a = await make("owner-a"), b = await make("owner-b"), of = (o: typeof a) => ({ name: o.metadata.name, uid: o.metadata.uid! });
  await make("both", [of(a), of(b)]);
  await world.client.delete(configmaps, a.metadata);
  await world.until("disowned", async () => (await world.get(configmaps, "both"))!.metadata.ownerReferences!.length === 1);
  await make("never", [{ name: "owner-b", uid: "00000000-0000-4000-8000-000000000000" }]);
  await world.until("collected", async () => (await world.get(configmaps, "never")) === undefined);
  t.is((await world.get(configmaps, "both"))!.metadata.ownerReferences![0]!.uid, b.metadata.uid!);
});

test("a namespace is emptied, whatever is in it, and waits for a finalizer with a condition that names it", async (t) => {
  await world.client.create(namespaces, { metadata: { name: "leaving" }, spec: {} });
  await world.client.create(secrets, { metadata: { name: "held", namespace: "leaving", finalizers: ["example.com/hold"] } });
  await world.client.create(configmaps, { metadata: { name: "plain", namespace: "leaving" } });
  await world.client.delete(namespaces, { name: "leaving" });
  const waiting = await world.until("condition", async () => { const n = await world.get(namespaces, "leaving"); return n?.status?.conditions?.some((c) => c.type === "NamespaceFinalizersRemaining" && c.status === "True") === true && n; });
  t.is(waiting.status!.phase, "Terminating");
  t.is(waiting.status!.conditions!.find((c) => c.type === "NamespaceFinalizersRemaining")!.message, "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances");
  t.is(await world.get(configmaps, "plain", "leaving"), undefined);
  await world.client.patch(secrets, { namespace: "leaving", name: "held" }, "merge", { metadata: { finalizers: null } });
  await world.until("gone", async () => (await world.get(namespaces, "leaving")) === undefined);
});

test("a replication controller keeps its pods too", async (t) => {
  await world.client.create(replicationcontrollers, { metadata: { name: "rc", namespace: "default" }, spec: { replicas: 2, selector: { app: "rc" }, template: { metadata: { name: "", labels: { app: "rc" } }, spec: { containers: [{ name: "web", image: "nginx:1" }] } } } });
  const rc = await world.until("ready", async () => { const r = await world.get(replicationcontrollers, "rc"); return r?.status?.readyReplicas === 2 && r; });
  t.is(rc.status!.replicas, 2);
});
