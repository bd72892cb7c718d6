import test from "ava";
import { Harness, configMap, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); await api.namespace("tables"); });
test.after.always(() => api.close());

const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json" };

test("a list as Table has the kind's columns and a row an object with its metadata", async (t) => {
  const path = "/api/v1/namespaces/tables/pods";
  await api.post(path, pod("p"));
  const { status, body } = await api.get(path, TABLE);
  t.is(status, 200);
  t.deepEqual([body.kind, body.apiVersion], ["Table", "meta.k8s.io/v1"]);
  t.deepEqual(body.columnDefinitions.map((c: { name: string; priority: number }) => `${c.name}${c.priority}`), ["Name0", "Ready0", "Status0", "Restarts0", "Age0", "IP1", "Node1", "Nominated Node1", "Readiness Gates1"]);
  t.deepEqual(body.rows[0].cells.slice(0, 4), ["p", "0/1", "Pending", "0"]);
  t.deepEqual([body.rows[0].object.kind, body.rows[0].object.metadata.name, body.rows[0].object.spec], ["PartialObjectMetadata", "p", undefined]);
  t.regex(body.metadata.resourceVersion, /^\d+$/);
});

test("includeObject chooses what rows carry", async (t) => {
  const path = "/api/v1/namespaces/tables/configmaps";
  await api.post(path, configMap("a", { k: "v" }));
  t.is((await api.get(`${path}/a?includeObject=None`, TABLE)).body.rows[0].object, null);
  t.is((await api.get(`${path}/a?includeObject=Object`, TABLE)).body.rows[0].object.data.k, "v");
  t.is((await api.get(`${path}/a?includeObject=Bogus`, TABLE)).status, 400);
});

test("as=PartialObjectMetadata gives the metadata of objects and lists", async (t) => {
  const path = "/api/v1/namespaces/tables/configmaps";
  await api.post(path, configMap("partial", { k: "v" }));
  const one = (await api.get(`${path}/partial`, { accept: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1" })).body;
  t.deepEqual([one.kind, one.apiVersion, one.metadata.name, one.data], ["PartialObjectMetadata", "meta.k8s.io/v1", "partial", undefined]);
  const list = (await api.get(path, { accept: "application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json" })).body;
  t.is(list.kind, "PartialObjectMetadataList");
  t.true(list.items.every((item: { kind: string }) => item.kind === "PartialObjectMetadata"));
});

test("a media type nobody serves is 406 with a Status; protobuf falls back to JSON where it is named", async (t) => {
  const refused = await api.get("/api/v1/namespaces/tables/configmaps", { accept: "application/vnd.kubernetes.protobuf" });
  t.deepEqual([refused.status, refused.body.kind, refused.body.reason], [406, "Status", "NotAcceptable"]);
  const fallen = await api.get("/api/v1/namespaces/tables/configmaps", { accept: "application/vnd.kubernetes.protobuf,application/json" });
  t.deepEqual([fallen.status, fallen.headers["content-type"]], [200, "application/json"]);
});

test("one object as YAML", async (t) => {
  await api.post("/api/v1/namespaces/tables/configmaps", configMap("yaml", { k: "v" }));
  const { text } = await api.get("/api/v1/namespaces/tables/configmaps/yaml", { accept: "application/yaml" });
  t.regex(text, /^apiVersion: v1\ndata:\n {2}k: v\nkind: ConfigMap\n/);
});
