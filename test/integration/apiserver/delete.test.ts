import test from "ava";
import { Harness, configMap, deployment, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

test("DELETE of most kinds answers with a Status that names the object, and it is gone", async (t) => {
  const ns = await api.namespace("d-plain"), path = `/apis/apps/v1/namespaces/${ns}/deployments`;
  const { body } = await api.post(path, deployment("web"));
  const gone = await api.delete(`${path}/web`);
  t.is(gone.status, 200);
  t.deepEqual(gone.body, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details: { name: "web", group: "apps", kind: "deployments", uid: body.metadata.uid } });
  t.is((await api.get(`${path}/web`)).status, 404);
  const again = await api.delete(`${path}/web`);
  t.deepEqual([again.status, again.body.message], [404, 'deployments.apps "web" not found']);
});

test("a pod that runs somewhere is given its grace, and gone when the kubelet says zero", async (t) => {
  const ns = await api.namespace("d-pod"), path = `/api/v1/namespaces/${ns}/pods`;
  await api.post(path, pod("p", { terminationGracePeriodSeconds: 20 }));
  await api.post(`${path}/p/binding`, { metadata: { name: "p" }, target: { kind: "Node", name: "n" } });
  const first = await api.delete(`${path}/p`);
  t.deepEqual([first.status, first.body.kind, first.body.metadata.deletionGracePeriodSeconds], [200, "Pod", 20]);
  t.truthy(first.body.metadata.deletionTimestamp);
  const longer = await api.delete(`${path}/p`, { gracePeriodSeconds: 60 });
  t.is(longer.body.metadata.deletionGracePeriodSeconds, 20);
  const shorter = await api.delete(`${path}/p`, { gracePeriodSeconds: 5 });
  t.is(shorter.body.metadata.deletionGracePeriodSeconds, 5);
  t.true(Date.parse(shorter.body.metadata.deletionTimestamp) < Date.parse(first.body.metadata.deletionTimestamp));
  t.is((await api.delete(`${path}/p`, { gracePeriodSeconds: 0 })).status, 200);
  t.is((await api.get(`${path}/p`)).status, 404);
});

test("a pod no node has yet goes at once", async (t) => {
  const ns = await api.namespace("d-unbound"), path = `/api/v1/namespaces/${ns}/pods`;
  await api.post(path, pod("p"));
  await api.delete(`${path}/p`, { gracePeriodSeconds: 30 });
  t.is((await api.get(`${path}/p`)).status, 404);
});

test("finalizers hold an object until the last is taken off", async (t) => {
  const ns = await api.namespace("d-final"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, { metadata: { name: "a", finalizers: ["example.com/one", "example.com/two"] } });
  const marked = await api.delete(`${path}/a`);
  t.deepEqual([marked.status, marked.body.kind, marked.body.metadata.deletionGracePeriodSeconds], [200, "ConfigMap", 0]);
  t.is((await api.patch(`${path}/a`, { metadata: { finalizers: ["example.com/two", "example.com/three"] } })).status, 422);
  t.is((await api.patch(`${path}/a`, { metadata: { finalizers: ["example.com/two"] } })).status, 200);
  t.is((await api.get(`${path}/a`)).status, 200);
  t.is((await api.patch(`${path}/a`, { metadata: { finalizers: null } })).status, 200);
  t.is((await api.get(`${path}/a`)).status, 404);
});

test("propagation leaves its finalizer for the collector", async (t) => {
  const ns = await api.namespace("d-propagate"), path = `/apis/apps/v1/namespaces/${ns}/deployments`;
  for (const [policy, finalizer] of [["Foreground", "foregroundDeletion"], ["Orphan", "orphan"]] as const) {
    const name = policy.toLowerCase();
    await api.post(path, deployment(name));
    const { status, body } = await api.delete(`${path}/${name}`, { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: policy });
    t.deepEqual([status, body.kind, body.metadata.finalizers], [200, "Deployment", [finalizer]]);
    t.truthy(body.metadata.deletionTimestamp);
  }
  await api.post(path, deployment("query"));
  t.deepEqual((await api.delete(`${path}/query?propagationPolicy=Foreground`)).body.metadata.finalizers, ["foregroundDeletion"]);
  await api.post(path, deployment("background"));
  t.is((await api.delete(`${path}/background`, { propagationPolicy: "Background" })).body.status, "Success");
  t.is((await api.delete(`${path}/foreground`, { propagationPolicy: "Bogus" })).status, 422);
});

test("preconditions spare an object that is another", async (t) => {
  const ns = await api.namespace("d-pre"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const { body } = await api.post(path, configMap("a"));
  const uid = await api.delete(`${path}/a`, { preconditions: { uid: "someone-else" } });
  t.deepEqual([uid.status, uid.body.reason], [409, "Conflict"]);
  t.true(uid.body.message.includes(`does not match the UID in record (${body.metadata.uid})`));
  t.is((await api.delete(`${path}/a`, { preconditions: { resourceVersion: "1" } })).status, 409);
  t.is((await api.delete(`${path}/a`, { preconditions: { uid: body.metadata.uid, resourceVersion: body.metadata.resourceVersion } })).status, 200);
});

test("a namespace terminates, refuses new objects, and goes when it is finalized", async (t) => {
  const ns = await api.namespace("d-ns");
  const marked = await api.delete(`/api/v1/namespaces/${ns}`);
  t.deepEqual([marked.status, marked.body.kind, marked.body.status.phase], [200, "Namespace", "Terminating"]);
  const late = await api.post(`/api/v1/namespaces/${ns}/configmaps`, configMap("a"));
  t.is(late.status, 403);
  t.regex(late.body.message, /because it is being terminated/);
  const { body } = await api.get(`/api/v1/namespaces/${ns}`);
  const finalized = await api.put(`/api/v1/namespaces/${ns}/finalize`, { ...body, spec: { finalizers: [] } });
  t.is(finalized.status, 200);
  t.is((await api.get(`/api/v1/namespaces/${ns}`)).status, 404);
});

test("eviction deletes a pod unless a budget says no", async (t) => {
  const ns = await api.namespace("d-evict"), path = `/api/v1/namespaces/${ns}/pods`;
  const running = async (name: string): Promise<void> => {
    await api.post(path, { ...pod(name), metadata: { name, labels: { app: "web" } } });
    await api.post(`${path}/${name}/binding`, { metadata: { name }, target: { kind: "Node", name: "n" } });
    await api.patch(`${path}/${name}/status`, { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } }, "strategic-merge");
  };
  await running("a");
  await running("b");
  await api.post(`/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets`, { metadata: { name: "pdb" }, spec: { minAvailable: 1, selector: { matchLabels: { app: "web" } } } });
  const unseen = await api.post(`${path}/a/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "a" } });
  t.deepEqual([unseen.status, unseen.headers["retry-after"]], [429, "10"]);
  await api.patch(`/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets/pdb/status`, { status: { observedGeneration: 1, disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } });
  const evicted = await api.post(`${path}/a/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "a" } });
  t.deepEqual([evicted.status, evicted.body.status], [201, "Success"]);
  t.truthy((await api.get(`${path}/a`)).body.metadata.deletionTimestamp);
  const second = await api.post(`${path}/b/eviction`, { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "b" } });
  t.deepEqual([second.status, second.body.details.causes[0].reason], [429, "DisruptionBudget"]);
  t.is((await api.get(`${path}/b`)).body.metadata.deletionTimestamp, undefined);
});
