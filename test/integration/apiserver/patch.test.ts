import test from "ava";
import { Harness, configMap, deployment } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

test("merge, JSON and strategic merge patches change what is stored", async (t) => {
  const ns = await api.namespace("p-kinds"), path = `/apis/apps/v1/namespaces/${ns}/deployments`;
  await api.post(path, deployment("web"));
  const merged = await api.patch(`${path}/web`, { metadata: { annotations: { a: "1" } } });
  t.deepEqual([merged.status, merged.body.metadata.annotations], [200, { a: "1" }]);
  const json = await api.patch(`${path}/web`, [{ op: "test", path: "/spec/replicas", value: 1 }, { op: "replace", path: "/spec/replicas", value: 4 }], "json");
  t.deepEqual([json.status, json.body.spec.replicas], [200, 4]);
  const strategic = await api.patch(`${path}/web`, { spec: { template: { spec: { containers: [{ name: "side", image: "busybox" }] } } } }, "strategic-merge");
  t.deepEqual(strategic.body.spec.template.spec.containers.map((c: { name: string }) => c.name), ["side", "main"]);
  const replaced = await api.patch(`${path}/web`, { spec: { template: { spec: { containers: [{ name: "only", image: "x" }] } } } });
  t.deepEqual(replaced.body.spec.template.spec.containers.map((c: { name: string }) => c.name), ["only"]);
});

test("a patch that changes nothing writes nothing", async (t) => {
  const ns = await api.namespace("p-noop"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const { body } = await api.post(path, configMap("a", { k: "v" }));
  t.is((await api.patch(`${path}/a`, { data: { k: "v" } })).body.metadata.resourceVersion, body.metadata.resourceVersion);
});

test("patches that race are all applied", async (t) => {
  const ns = await api.namespace("p-race"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, configMap("a"));
  const answers = await Promise.all(["1", "2", "3", "4"].map((n) => api.patch(`${path}/a`, { data: { [`k${n}`]: n } })));
  t.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
  t.deepEqual((await api.get(`${path}/a`)).body.data, { k1: "1", k2: "2", k3: "3", k4: "4" });
});

test("a patch naming an old resourceVersion is 409", async (t) => {
  const ns = await api.namespace("p-old"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const { body } = await api.post(path, configMap("a"));
  await api.patch(`${path}/a`, { data: { k: "1" } });
  t.is((await api.patch(`${path}/a`, { metadata: { resourceVersion: body.metadata.resourceVersion }, data: { k: "2" } })).status, 409);
});

test("a patch that takes the metadata away leaves an object without a name: 400", async (t) => {
  const ns = await api.namespace("p-nameless"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, configMap("a"));
  for (const [patch, type] of [[[{ op: "add", path: "/metadata" }], "json"], [[{ op: "remove", path: "/metadata" }], "json"], [{ metadata: null }, "merge"], [{ metadata: null }, "strategic-merge"]] as const) {
    const { status, body } = await api.patch(`${path}/a`, patch, type);
    t.deepEqual([status, body.message], [400, "the name of the object (a based on URL) was undeterminable: name must be provided"], JSON.stringify(patch));
  }
});

test("a patch of nothing is 404; of an unknown form 415; a failed JSON patch test 422", async (t) => {
  const ns = await api.namespace("p-bad"), path = `/api/v1/namespaces/${ns}/configmaps`;
  t.is((await api.patch(`${path}/none`, {})).status, 404);
  await api.post(path, configMap("a"));
  const unknown = await api.call("PATCH", `${path}/a`, { body: {}, headers: { "content-type": "application/json" } });
  t.deepEqual([unknown.status, unknown.body.reason], [415, "UnsupportedMediaType"]);
  t.is((await api.patch(`${path}/a`, [{ op: "test", path: "/data", value: "x" }], "json")).status, 422);
  const apply = await api.call("PATCH", `${path}/a?fieldManager=x`, { body: "{}", headers: { "content-type": "application/apply-patch+yaml" } });
  t.deepEqual([apply.status, apply.body.message], [400, "invalid object type: /, Kind="]);
  const cbor = await api.call("PATCH", `${path}/a?fieldManager=x`, { body: "{}", headers: { "content-type": "application/apply-patch+cbor" } });
  t.is(cbor.status, 415);
});

test("PATCH of status leaves the spec, and the other way round", async (t) => {
  const ns = await api.namespace("p-status"), path = `/apis/apps/v1/namespaces/${ns}/deployments`;
  await api.post(path, deployment("web", 2));
  const status = (await api.patch(`${path}/web/status`, { spec: { replicas: 9 }, status: { replicas: 2 } })).body;
  t.deepEqual([status.spec.replicas, status.status.replicas], [2, 2]);
  const spec = (await api.patch(`${path}/web`, { spec: { replicas: 3 }, status: { replicas: 9 } })).body;
  t.deepEqual([spec.spec.replicas, spec.status.replicas], [3, 2]);
});
