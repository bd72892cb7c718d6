/** Quotas as a user meets them: kubernetes `test/e2e/apimachinery/resource_quota.go` re-told. Admission and controller together, on the real server. */
import { createHash } from "node:crypto";
import test from "ava";
import { configmaps, deployments, persistentvolumeclaims, pods, replicasets, replicationcontrollers, resourcequotas, secrets, services } from "../../../lib/api/schema/generated/references.ts";
import type { ResourceQuotaSpec } from "../../../lib/api/schema/generated/models.ts";
import { World } from "./world.ts";

let world: World;
test.before(async () => { world = await World.start(["--controllers=*"]); });
test.after.always(async () => { await world.stop(); });

const namespace = async (t: { title: string }): Promise<string> => {
  const name = `q-${createHash("sha256").update(t.title).digest("hex").slice(0, 8)}`;
  await world.client.create({ group: "", version: "v1", kind: "Namespace", plural: "namespaces", namespaced: false }, { metadata: { name } });
  await world.until("the service account", () => world.get({ group: "", version: "v1", kind: "ServiceAccount", plural: "serviceaccounts", namespaced: true }, "default", name));
  return name;
};
const used = async (ns: string, name: string, wanted: Record<string, string>): Promise<void> => {
  await world.until(`usage ${JSON.stringify(wanted)}`, async () => {
    const now = (await world.get(resourcequotas, name, ns))?.status?.used ?? {};
    return Object.entries(wanted).every(([key, amount]) => now[key] === amount);
  });
};
const limit = async (ns: string, name: string, spec: ResourceQuotaSpec): Promise<void> => {
  await world.client.create(resourcequotas, { metadata: { name, namespace: ns }, spec });
  await used(ns, name, Object.fromEntries(Object.keys(spec.hard!).map((key) => [key, "0"])));
};
const pod = (ns: string, name: string, cpu?: string, rest: object = {}): Promise<unknown> =>
  world.client.create(pods, { metadata: { name, namespace: ns }, spec: { containers: [{ name: "c", image: "nginx:1", ...(cpu === undefined ? {} : { resources: { requests: { cpu, memory: "10Mi" } } }) }], ...rest } });

test("a quota holds pods to what they ask for, and gives back what goes", async (t) => {
  const ns = await namespace(t);
  await limit(ns, "q", { hard: { pods: "3", "requests.cpu": "1", "requests.memory": "1Gi" } });
  await pod(ns, "one", "600m");
  await used(ns, "q", { pods: "1", "requests.cpu": "600m", "requests.memory": "10Mi" });
  await t.throwsAsync(() => pod(ns, "two", "500m"), { message: /pods "two" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=600m, limited: requests.cpu=1/ });
  await t.throwsAsync(() => pod(ns, "three"), { message: /failed quota: q: must specify requests.cpu for: c; requests.memory for: c/ });
  await world.client.delete(pods, { namespace: ns, name: "one" });
  await used(ns, "q", { pods: "0", "requests.cpu": "0", "requests.memory": "0" });
  await pod(ns, "two", "500m");
});

test("a quota limits Services by type and objects by number, of any kind", async (t) => {
  const ns = await namespace(t);
  await world.client.create(resourcequotas, { metadata: { name: "q", namespace: ns }, spec: { hard: { services: "2", "services.nodeports": "1", "count/replicasets.apps": "1", configmaps: "2" } } });
  await used(ns, "q", { services: "0", "services.nodeports": "0", "count/replicasets.apps": "0", configmaps: "1" }); // kube-root-ca.crt is one.
  const service = (name: string, type: string): Promise<unknown> => world.client.create(services, { metadata: { name, namespace: ns }, spec: { type, selector: { app: "x" }, ports: [{ port: 80 }] } });
  await service("a", "NodePort");
  await t.throwsAsync(() => service("b", "NodePort"), { message: /exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1/ });
  await service("b", "ClusterIP");
  await used(ns, "q", { services: "2", "services.nodeports": "1" });
  await world.client.create(configmaps, { metadata: { name: "one", namespace: ns } });
  await t.throwsAsync(() => world.client.create(configmaps, { metadata: { name: "two", namespace: ns } }), { message: /requested: configmaps=1, used: configmaps=2, limited: configmaps=2/ });
  const set = { replicas: 0, selector: { matchLabels: { app: "r" } }, template: { metadata: { labels: { app: "r" } }, spec: { containers: [{ name: "c", image: "nginx:1" }] } } };
  await world.client.create(replicasets, { metadata: { name: "r", namespace: ns }, spec: set } as never);
  await used(ns, "q", { "count/replicasets.apps": "1" });
  await world.client.delete(replicasets, { namespace: ns, name: "r" });
  await used(ns, "q", { "count/replicasets.apps": "0" });
});

test("a quota follows the life of secrets, claims, replication controllers and replica sets", async (t) => {
  const ns = await namespace(t), template = { metadata: { name: "", labels: { app: "x" } }, spec: { containers: [{ name: "c", image: "x" }] } };
  const hard = { secrets: "5", persistentvolumeclaims: "3", "requests.storage": "10Gi", "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "gold.storageclass.storage.k8s.io/requests.storage": "5Gi", replicationcontrollers: "5", "count/replicasets.apps": "5" };
  await limit(ns, "q", { hard });
  const claim = (name: string, storageClassName: string, storage: string): Promise<unknown> => world.client.create(persistentvolumeclaims, { metadata: { name, namespace: ns }, spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } } });
  const lives = [
    [secrets, () => world.client.create(secrets, { metadata: { name: "s", namespace: ns }, stringData: { a: "b" } }), { secrets: "1" }, "s"],
    [persistentvolumeclaims, () => claim("c", "gold", "1Gi"), { persistentvolumeclaims: "1", "requests.storage": "1Gi", "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1", "gold.storageclass.storage.k8s.io/requests.storage": "1Gi" }, "c"],
    [replicationcontrollers, () => world.client.create(replicationcontrollers, { metadata: { name: "r", namespace: ns }, spec: { replicas: 0, selector: { app: "x" }, template } }), { replicationcontrollers: "1" }, "r"],
    [replicasets, () => world.client.create(replicasets, { metadata: { name: "r", namespace: ns }, spec: { replicas: 0, selector: { matchLabels: { app: "x" } }, template } }), { "count/replicasets.apps": "1" }, "r"],
  ] as const;
  for (const [resource, make, wanted, name] of lives) {
    await make();
    await used(ns, "q", wanted);
    if (resource === persistentvolumeclaims) {
      await t.throwsAsync(() => claim("d", "gold", "1Gi"), { message: /exceeded quota: q, requested: gold.storageclass.storage.k8s.io\/persistentvolumeclaims=1, used: .*=1, limited: .*=1/ });
      await t.throwsAsync(() => claim("e", "silver", "10Gi"), { message: /requested: requests.storage=10Gi, used: requests.storage=1Gi, limited: requests.storage=10Gi/ });
    }
    await world.client.delete(resource, { namespace: ns, name });
    await used(ns, "q", Object.fromEntries(Object.keys(wanted).map((key) => [key, "0"])));
  }
});

test("quotas with scopes count their own pods only", async (t) => {
  const ns = await namespace(t);
  await limit(ns, "effortless", { hard: { pods: "1" }, scopes: ["BestEffort"] });
  await limit(ns, "ending", { hard: { pods: "1" }, scopes: ["Terminating"] });
  await pod(ns, "plain");
  await used(ns, "effortless", { pods: "1" });
  await pod(ns, "asking", "100m", { activeDeadlineSeconds: 3_600 });
  await used(ns, "ending", { pods: "1" });
  await used(ns, "effortless", { pods: "1" });
  await t.throwsAsync(() => pod(ns, "plain-two"), { message: /exceeded quota: effortless/ });
});

test("a quota that is changed is measured anew, and a Deployment waits for room", async (t) => {
  const ns = await namespace(t);
  await limit(ns, "q", { hard: { pods: "1" } });
  const spec = { replicas: 3, selector: { matchLabels: { app: "d" } }, template: { metadata: { labels: { app: "d" } }, spec: { containers: [{ name: "c", image: "nginx:1" }] } } };
  await world.client.create(deployments, { metadata: { name: "d", namespace: ns }, spec } as never);
  await used(ns, "q", { pods: "1" });
  const failure = await world.until("the reason on the replica set", async () => (await world.list(replicasets, "app=d", ns))[0]?.status?.conditions?.find((c) => c.type === "ReplicaFailure"));
  t.regex(failure.message!, /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/);
  await world.client.patch(resourcequotas, { namespace: ns, name: "q" }, "merge", { spec: { hard: { pods: "5" } } });
  await used(ns, "q", { pods: "3" });
});

test("many pods at once: exactly as many as fit", async (t) => {
  const ns = await namespace(t);
  await limit(ns, "q", { hard: { pods: "10" } });
  const results = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => pod(ns, `p${i}`)));
  t.is(results.filter(({ status }) => status === "fulfilled").length, 10);
  await used(ns, "q", { pods: "10" });
});
