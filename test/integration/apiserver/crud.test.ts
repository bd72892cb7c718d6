import test from "ava";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import type { PutOptions } from "../../../lib/storage/store.ts";
import { Harness, configMap, deployment, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

test("POST creates an object with uid, creationTimestamp and resourceVersion, and GET shows the same bytes", async (t) => {
  await api.namespace("create");
  const created = await api.post("/api/v1/namespaces/create/configmaps", configMap("a", { k: "v" }));
  t.is(created.status, 201);
  t.regex(created.body.metadata.uid, /^[0-9a-f-]{36}$/);
  t.regex(created.body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.regex(created.body.metadata.resourceVersion, /^[1-9]\d*$/);
  const read = await api.get("/api/v1/namespaces/create/configmaps/a");
  t.is(read.text, created.text);
  t.deepEqual(Object.keys(read.body).slice(0, 3), ["kind", "apiVersion", "metadata"]);
  t.deepEqual(Object.keys(read.body.metadata), ["name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"]);
});

test("POST of an existing name is 409 AlreadyExists", async (t) => {
  await api.namespace("exists");
  await api.post("/api/v1/namespaces/exists/configmaps", configMap("a"));
  const again = await api.post("/api/v1/namespaces/exists/configmaps", configMap("a"));
  t.is(again.status, 409);
  t.deepEqual([again.body.reason, again.body.message, again.body.details], ["AlreadyExists", 'configmaps "a" already exists', { name: "a", kind: "configmaps" }]);
});

test("POST with generateName appends five characters of upstream's alphabet", async (t) => {
  await api.namespace("generate");
  const { status, body } = await api.post("/api/v1/namespaces/generate/configmaps", { metadata: { generateName: "cm-" } });
  t.is(status, 201);
  t.regex(body.metadata.name, /^cm-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  t.is(body.metadata.generateName, "cm-");
});

/** Another server has taken the name of each of the first `taken` objects under `prefix`, after this one looked whether it is free. */
class ContestedStore extends MemoryStore {
  readonly tried: string[] = [];
  readonly prefix: string;
  taken = 0;
  constructor(prefix: string) { super(); this.prefix = prefix; }
  override async put(key: string, value: Buffer, options?: PutOptions): ReturnType<MemoryStore["put"]> {
    if (key.startsWith(this.prefix)) {
      this.tried.push(key);
      if (this.tried.length <= this.taken) await super.put(key, value);
    }
    return super.put(key, value, options);
  }
}

test("a generated name that was taken in the meantime is thrown again, eight times. Source: apiserver store.go createWithGenerateNameRetry", async (t) => {
  const store = new ContestedStore("/registry/services/specs/race/web-"), contested = await Harness.start({ store });
  try {
    await contested.namespace("race");
    const path = "/api/v1/namespaces/race/services", service = { metadata: { generateName: "web-" }, spec: { ports: [{ port: 80 }] } };
    store.taken = 7;
    const eighth = await contested.post(path, service), { name } = eighth.body.metadata;
    t.is(eighth.status, 201, eighth.text);
    t.is(new Set(store.tried).size, 8, "a name of its own for each try");
    t.is(store.tried.at(-1), `/registry/services/specs/race/${name}`);
    t.deepEqual(Object.keys(eighth.body.metadata), ["name", "generateName", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields"]);
    const address = await contested.get(`/apis/networking.k8s.io/v1/ipaddresses/${eighth.body.spec.clusterIP}`);
    t.like(address.body.spec.parentRef, { name, namespace: "race" });

    [store.taken, store.tried.length] = [8, 0];
    const refused = await contested.post(path, service), last = store.tried.at(-1)!.split("/").at(-1)!;
    t.deepEqual([refused.status, refused.body.reason, refused.body.message, refused.headers["retry-after"]], [409, "AlreadyExists", `services "${last}" already exists, the server was not able to generate a unique name for the object`, "1"]);
    t.is(store.tried.length, 8);
  } finally { await contested.close(); await store.close(); }
});

test("POST refuses a resourceVersion, another namespace and another kind", async (t) => {
  await api.namespace("refuse");
  const path = "/api/v1/namespaces/refuse/configmaps";
  const versioned = await api.post(path, { metadata: { name: "x", resourceVersion: "5" } });
  t.deepEqual([versioned.status, versioned.body.message], [500, "resourceVersion should not be set on objects to be created"]);
  const elsewhere = await api.post(path, { metadata: { name: "x", namespace: "other" } });
  t.deepEqual([elsewhere.status, elsewhere.body.message], [400, "the namespace of the provided object does not match the namespace sent on the request"]);
  const kind = await api.post(path, { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } });
  t.is(kind.status, 400);
  t.regex(kind.body.message, /^Secret in version "v1" cannot be handled as a ConfigMap/);
});

test("PUT with an old resourceVersion is 409 Conflict in upstream's words, and changes nothing", async (t) => {
  await api.namespace("conflict");
  const path = "/api/v1/namespaces/conflict/configmaps";
  const first = (await api.post(path, configMap("a", { n: "1" }))).body;
  const second = await api.put(`${path}/a`, { ...first, data: { n: "2" } });
  t.is(second.status, 200);
  const stale = await api.put(`${path}/a`, { ...first, data: { n: "3" } });
  t.is(stale.status, 409);
  t.is(stale.body.message, 'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again');
  t.is((await api.get(`${path}/a`)).body.data.n, "2");
});

test("PUT without a resourceVersion overwrites, and one that changes nothing keeps the resourceVersion", async (t) => {
  await api.namespace("unconditional");
  const path = "/api/v1/namespaces/unconditional/configmaps";
  await api.post(path, configMap("a", { n: "1" }));
  const changed = await api.put(`${path}/a`, configMap("a", { n: "2" }));
  t.deepEqual([changed.status, changed.body.data.n], [200, "2"]);
  const same = await api.put(`${path}/a`, configMap("a", { n: "2" }));
  t.is(same.body.metadata.resourceVersion, changed.body.metadata.resourceVersion);
});

test("concurrent unconditional PUTs all succeed and one of them is what remains", async (t) => {
  await api.namespace("race");
  const path = "/api/v1/namespaces/race/configmaps";
  await api.post(path, configMap("a"));
  const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => api.put(`${path}/a`, configMap("a", { n: String(i) }))));
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  t.is(new Set(answers.map(({ body }) => body.metadata.resourceVersion)).size, 12);
});

test("PUT on another name, or with another uid, is refused", async (t) => {
  await api.namespace("names");
  const path = "/api/v1/namespaces/names/configmaps";
  const { body } = await api.post(path, configMap("a"));
  const named = await api.put(`${path}/a`, configMap("b"));
  t.deepEqual([named.status, named.body.message], [400, "the name of the object (b) does not match the name on the URL (a)"]);
  const other = await api.put(`${path}/a`, { ...configMap("a"), metadata: { name: "a", uid: "00000000-0000-0000-0000-000000000000" } });
  t.is(other.status, 409);
  t.true(other.body.message.includes(`UID in object meta: ${body.metadata.uid}`));
});

test("PUT creates where the kind allows it and is 404 elsewhere", async (t) => {
  await api.namespace("upsert");
  const lease = await api.put("/apis/coordination.k8s.io/v1/namespaces/upsert/leases/l", { metadata: { name: "l" }, spec: { holderIdentity: "x", leaseDurationSeconds: 5 } });
  t.is(lease.status, 201);
  const map = await api.put("/api/v1/namespaces/upsert/configmaps/a", configMap("a"));
  t.deepEqual([map.status, map.body.message], [404, 'configmaps "a" not found']);
});

test("metadata.generation counts changes of the spec, not of metadata or status", async (t) => {
  await api.namespace("generation");
  const path = "/apis/apps/v1/namespaces/generation/deployments";
  const created = (await api.post(path, deployment("web", 1))).body;
  t.is(created.metadata.generation, 1);
  const labelled = (await api.patch(`${path}/web`, { metadata: { labels: { x: "y" } } })).body;
  t.is(labelled.metadata.generation, 1);
  const scaled = (await api.patch(`${path}/web`, { spec: { replicas: 3 } })).body;
  t.is(scaled.metadata.generation, 2);
  const status = await api.put(`${path}/web/status`, { ...scaled, spec: { ...scaled.spec, replicas: 9 }, status: { observedGeneration: 2, replicas: 3 } });
  t.deepEqual([status.status, status.body.metadata.generation, status.body.spec.replicas, status.body.status.replicas], [200, 2, 3, 3]);
  const main = (await api.put(`${path}/web`, { ...status.body, status: { replicas: 100 } })).body;
  t.is(main.status.replicas, 3);
});

test("dryRun=All answers as if written and writes nothing", async (t) => {
  await api.namespace("dry");
  const path = "/api/v1/namespaces/dry/configmaps";
  const created = await api.post(`${path}?dryRun=All`, configMap("a", { k: "v" }));
  t.is(created.status, 201);
  t.is(created.body.metadata.resourceVersion, undefined);
  t.is((await api.get(`${path}/a`)).status, 404);
  await api.post(path, configMap("a", { k: "1" }));
  t.is((await api.put(`${path}/a?dryRun=All`, configMap("a", { k: "2" }))).body.data.k, "2");
  t.is((await api.delete(`${path}/a?dryRun=All`)).status, 200);
  t.is((await api.get(`${path}/a`)).body.data.k, "1");
  t.is((await api.post(`${path}?dryRun=Some`, configMap("b"))).status, 422);
});

test("unknown fields warn by default, fail under Strict, and pass under Ignore", async (t) => {
  await api.namespace("fields");
  const path = "/api/v1/namespaces/fields/configmaps", body = (name: string) => ({ metadata: { name }, data: {}, bogus: 1 });
  const warned = await api.post(path, body("a"));
  t.is(warned.status, 201);
  t.is(warned.headers["warning"], '299 - "unknown field \\"bogus\\""');
  const strict = await api.post(`${path}?fieldValidation=Strict`, body("b"));
  t.is(strict.status, 400);
  t.regex(strict.body.message, /strict decoding error: unknown field "bogus"/);
  const ignored = await api.post(`${path}?fieldValidation=Ignore`, body("c"));
  t.deepEqual([ignored.status, ignored.headers["warning"]], [201, undefined]);
});

test("a kind nothing runs yet is stored with a warning that names it", async (t) => {
  const { status, headers } = await api.post("/apis/resource.k8s.io/v1/deviceclasses", { metadata: { name: "gpu" }, spec: {} });
  t.is(status, 201);
  t.is(headers["warning"], '299 - "DeviceClass: stored but not yet run by this release"');
});

test("the scale subresource reads and writes the replicas of a deployment", async (t) => {
  await api.namespace("scale");
  const path = "/apis/apps/v1/namespaces/scale/deployments";
  await api.post(path, deployment("web", 2));
  const read = (await api.get(`${path}/web/scale`)).body;
  t.deepEqual([read.kind, read.apiVersion, read.spec.replicas, read.status.selector], ["Scale", "autoscaling/v1", 2, "app=web"]);
  const written = await api.put(`${path}/web/scale`, { ...read, spec: { replicas: 5 } });
  t.is(written.status, 200);
  t.is((await api.get(`${path}/web`)).body.spec.replicas, 5);
  t.is((await api.put(`${path}/web/scale`, { ...read, spec: { replicas: 6 } })).status, 409);
  t.is((await api.patch(`${path}/web/scale`, { spec: { replicas: 7 } })).body.spec.replicas, 7);
  t.is((await api.patch(`${path}/web/scale`, { spec: { replicas: -1 } })).status, 422);
});

test("pods/binding binds once", async (t) => {
  await api.namespace("bind");
  const path = "/api/v1/namespaces/bind/pods";
  await api.post(path, pod("p"));
  const binding = { metadata: { name: "p", annotations: { a: "b" } }, target: { kind: "Node", name: "n1" } };
  const bound = await api.post(`${path}/p/binding`, binding);
  t.deepEqual([bound.status, bound.body.kind, bound.body.status], [201, "Status", "Success"]);
  const { body } = await api.get(`${path}/p`);
  t.is(body.spec.nodeName, "n1");
  t.is(body.metadata.annotations.a, "b");
  t.is(body.status.conditions.find((c: { type: string }) => c.type === "PodScheduled").status, "True");
  const again = await api.post(`${path}/p/binding`, binding);
  t.deepEqual([again.status, again.body.message], [409, 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n1"']);
});

test("one stored event is read under both of its groups", async (t) => {
  await api.namespace("events");
  const created = await api.post("/api/v1/namespaces/events/events", { metadata: { name: "e" }, involvedObject: { kind: "Pod", namespace: "events", name: "p" }, reason: "Started", message: "hello", type: "Normal", source: { component: "kubelet" }, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:00Z", count: 1 });
  t.is(created.status, 201);
  const { body } = await api.get("/apis/events.k8s.io/v1/namespaces/events/events/e");
  t.deepEqual([body.apiVersion, body.note, body.regarding.name, body.metadata.resourceVersion], ["events.k8s.io/v1", "hello", "p", created.body.metadata.resourceVersion]);
  const list = (await api.get("/apis/events.k8s.io/v1/namespaces/events/events")).body;
  t.deepEqual(list.items.map((each: { note: string }) => each.note), ["hello"]);
});

test("the server keeps system namespaces and the kubernetes Service", async (t) => {
  const names = (await api.get("/api/v1/namespaces")).body.items.map((each: { metadata: { name: string } }) => each.metadata.name);
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) t.true(names.includes(name), name);
  const trust = (await api.get("/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication")).body;
  t.is(trust.data["client-ca-file"], api.server.caPem);
  await api.kubernetesService();
  const service = (await api.get("/api/v1/namespaces/default/services/kubernetes")).body;
  t.is(service.spec.clusterIP, "10.96.0.1");
  t.is((await api.get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")).body.endpoints[0].addresses[0], "192.0.2.1");
});
