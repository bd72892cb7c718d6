/** Server-side apply and managedFields over HTTP: every door, their options, and what is refused. */
import test from "ava";
import { setTimeout as delay } from "node:timers/promises";
import { apply, entriesOf, owners } from "./applying.ts";
import { configMap, deployment, Harness, pod, type Json } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const maps = async (name: string): Promise<string> => `/api/v1/namespaces/${await api.namespace(name)}/configmaps`;

test("apply creates what does not exist (201), then changes it (200), from YAML and from JSON", async (t) => {
  const path = await maps("ssa-create");
  const created = await apply(api, `${path}/a`, "me", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  creationTimestamp: null\ndata:\n  k: v\n");
  t.deepEqual([created.status, created.body.data], [201, { k: "v" }]);
  t.like(entriesOf(created.body)[0], { manager: "me", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:k": {} } } });
  const changed = await apply(api, `${path}/a`, "me", configMap("a", { k: "w" }));
  t.deepEqual([changed.status, changed.body.data], [200, { k: "w" }]);
});

test("apply again writes nothing: same resourceVersion, same times, no event", async (t) => {
  const path = `/apis/apps/v1/namespaces/${await api.namespace("ssa-again")}/deployments`, first = await apply(api, `${path}/web`, "me", deployment("web"));
  await delay(1_100); // Times have whole seconds.
  const again = await apply(api, `${path}/web`, "me", deployment("web"));
  t.is(again.text, first.text);
});

test("an apply whose values only read differently (1000m for 1) writes nothing", async (t) => {
  const path = `/api/v1/namespaces/${await api.namespace("ssa-quantity")}/pods/a`, body = pod("a", { containers: [{ name: "main", image: "i", resources: { requests: { cpu: "1000m" } } }] });
  const first = await apply(api, path, "me", body);
  await delay(1_100);
  t.is((await apply(api, path, "me", body)).text, first.text);
});

test("apply needs a fieldManager; only apply knows force; names are printable and at most 128 bytes long", async (t) => {
  const path = await maps("ssa-options");
  await api.post(path, configMap("a"));
  const refused = async (query: string, type: string): Promise<string> => {
    const { status, body } = await api.call("PATCH", `${path}/a?${query}`, { body: configMap("a"), headers: { "content-type": type } });
    t.is(status, 422);
    return body.message as string;
  };
  t.is(await refused("", "application/apply-patch+yaml"), 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch');
  t.is(await refused("force=false", "application/merge-patch+json"), 'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch');
  t.is(await refused(`fieldManager=${"x".repeat(129)}`, "application/merge-patch+json"), 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes');
  t.is(await refused("fieldManager=a%0a", "application/apply-patch+yaml"), 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Invalid value: "a\\n": invalid character U+000A (at position 1)');
  t.is(await refused("dryRun=Some&fieldManager=x", "application/apply-patch+yaml"), 'PatchOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"');
  t.is((await api.post(`${path}?fieldManager=${"x".repeat(129)}`, configMap("b"))).body.message, 'CreateOptions.meta.k8s.io "" is invalid: fieldManager: Too long: may not be more than 128 bytes');
  t.is((await api.put(`${path}/a?fieldValidation=Some`, configMap("a"))).body.message, 'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Some": supported values: "", "Ignore", "Strict", "Warn"');
});

test("what does not fit is refused: another kind, another name, no name, managedFields, unknown fields, wrong types", async (t) => {
  const path = await maps("ssa-refuse"), at = (body: Json): Promise<[number, string]> => apply(api, `${path}/a`, "me", body).then(({ status, body: { message } }) => [status, message as string]);
  t.deepEqual(await at(pod("a")), [400, "invalid object type: /v1, Kind=Pod"]);
  t.deepEqual(await at(configMap("b")), [400, "the name of the object (b) does not match the name on the URL (a)"]);
  t.deepEqual(await at({ apiVersion: "v1", kind: "ConfigMap" }), [400, "the name of the object (a based on URL) was undeterminable: name must be provided"]);
  t.deepEqual(await at({ ...configMap("a"), metadata: { name: "a", managedFields: [] } }), [400, "metadata.managedFields must be nil"]);
  t.deepEqual(await at({ ...configMap("a"), metadata: { name: "a", uid: "1" } }), [409, 'Operation cannot be fulfilled on configmaps "a": uid mismatch: the provided object specified uid 1, and no existing object was found']);
  t.deepEqual(await at({ ...configMap("a"), more: 1 }), [500, "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .more: field not declared in schema"]);
  t.deepEqual(await at({ ...configMap("a"), data: { k: 1 } }), [500, "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .data.k: expected string, got &{1}"]);
  t.deepEqual(await at({ ...configMap("a"), metadata: { name: "a", labels: { "": "x" } } }).then(([status]) => status), 422);
  t.is((await api.get(`${path}/a`)).status, 404);
});

test("keys given twice are refused, warned about or ignored, by fieldValidation", async (t) => {
  const path = await maps("ssa-twice"), body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: '1', k: '2'}\n";
  const strict = await apply(api, `${path}/a?fieldValidation=Strict`, "me", body);
  t.is(strict.status, 400);
  t.regex(strict.body.message, /^error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n {2}line 4: key "k" already set in map$/);
  const warned = await apply(api, `${path}/a`, "me", body);
  t.deepEqual([warned.status, warned.body.data], [201, { k: "2" }]);
  t.regex(String(warned.headers["warning"]), /key \\"k\\" already set/);
  t.is((await apply(api, `${path}/a?fieldValidation=Ignore`, "me", body)).headers["warning"], undefined);
});

test("a dry run tells of conflicts and results, and writes nothing", async (t) => {
  const path = await maps("ssa-dry");
  const made = await apply(api, `${path}/a`, "me", configMap("a", { k: "1" }), { dryRun: true });
  t.deepEqual([made.status, made.body.data, (await api.get(`${path}/a`)).status], [201, { k: "1" }, 404]);
  await apply(api, `${path}/a`, "me", configMap("a", { k: "1" }));
  t.is((await apply(api, `${path}/a`, "you", configMap("a", { k: "2" }), { dryRun: true })).status, 409);
  t.deepEqual((await apply(api, `${path}/a`, "you", configMap("a", { k: "2" }), { dryRun: true, force: true })).body.data, { k: "2" });
  t.deepEqual((await api.get(`${path}/a`)).body.data, { k: "1" });
});

test("a resourceVersion in a configuration must be the stored one", async (t) => {
  const path = await maps("ssa-version"), { body } = await apply(api, `${path}/a`, "me", configMap("a", { k: "1" }));
  const at = (resourceVersion: string, k: string): Promise<number> => apply(api, `${path}/a`, "me", { ...configMap("a", { k }), metadata: { name: "a", resourceVersion } }).then(({ status }) => status);
  t.is(await at(body.metadata.resourceVersion, "2"), 200);
  t.is(await at(body.metadata.resourceVersion, "3"), 409);
});

test("who may patch but not create gets 403 from an apply, and from a PUT, that would create", async (t) => {
  const ns = await api.namespace("ssa-rbac"), path = `/api/v1/namespaces/${ns}/configmaps`, rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${ns}`, as = api.server.identity("patcher");
  await api.post(`${rbac}/roles`, { metadata: { name: "patch" }, rules: [{ apiGroups: ["", "coordination.k8s.io"], resources: ["configmaps", "leases"], verbs: ["patch", "update"] }] });
  await api.post(`${rbac}/rolebindings`, { metadata: { name: "patch" }, roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "patch" }, subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "patcher" }] });
  const refused = await api.call("PATCH", `${path}/a?fieldManager=me`, { as, body: configMap("a"), headers: { "content-type": "application/apply-patch+yaml" } });
  t.deepEqual([refused.status, refused.body.message], [403, `configmaps "a" is forbidden: User "patcher" cannot create resource "configmaps" in API group "" in the namespace "${ns}"`]);
  t.is((await api.call("PUT", `/apis/coordination.k8s.io/v1/namespaces/${ns}/leases/a`, { as, body: { metadata: { name: "a" }, spec: {} } })).status, 403);
  await apply(api, `${path}/a`, "me", configMap("a"));
  t.is((await api.call("PATCH", `${path}/a?fieldManager=me`, { as, body: configMap("a", { k: "1" }), headers: { "content-type": "application/apply-patch+yaml" } })).status, 200);
});

test("every other write is an Update of its fieldManager, or of the first word of its User-Agent", async (t) => {
  const path = await maps("track-doors"), managers = async (): Promise<unknown[]> => entriesOf((await api.get(`${path}/a`)).body).map(({ manager, operation }) => `${manager} ${operation}`);
  await api.post(path, configMap("a", { one: "1" }), { "user-agent": "kubectl/v1.35 (linux/amd64)" });
  t.deepEqual(await managers(), ["kubectl Update"]);
  await api.put(`${path}/a?fieldManager=putter`, configMap("a", { one: "1", two: "2" }));
  for (const [type, body] of [["merge", { data: { merge: "3" } }], ["strategic-merge", { data: { strategic: "4" } }], ["json", [{ op: "add", path: "/data/json", value: "5" }]]] as const) {
    await api.call("PATCH", `${path}/a`, { body, headers: { "content-type": `application/${type}-patch+json`, "user-agent": `${type}/1` } });
  }
  t.deepEqual(owners((await api.get(`${path}/a`)).body), {
    "json (Update)": [".data.json"], "kubectl (Update)": [".data.one"], "merge (Update)": [".data.merge"], "putter (Update)": [".data.two"], "strategic-merge (Update)": [".data.strategic"],
  });
});

test("updates that change nothing write nothing, whoever sends them", async (t) => {
  const path = await maps("track-noop"), first = await api.post(path, configMap("a", { k: "1" }));
  await delay(1_100);
  t.is((await api.put(`${path}/a?fieldManager=other`, first.body)).text, first.text);
  t.is((await api.put(`${path}/a?fieldManager=other`, configMap("a", { k: "1" }))).text, first.text);
  t.is((await api.patch(`${path}/a`, { data: { k: "1" } })).text, first.text);
});

test("Events, Leases and what the server makes for itself are tracked as all else", async (t) => {
  const ns = await api.namespace("track-all"), lease = await api.post(`/apis/coordination.k8s.io/v1/namespaces/${ns}/leases`, { metadata: { name: "a" }, spec: { holderIdentity: "x", renewTime: "2026-01-02T03:04:05.000000Z" } });
  t.deepEqual(Object.values(owners(lease.body)), [[".spec.holderIdentity", ".spec.renewTime"]]);
  const event = await api.post(`/api/v1/namespaces/${ns}/events`, { metadata: { name: "a" }, involvedObject: { kind: "Pod", namespace: ns, name: "p" }, reason: "R", message: "m", type: "Normal", count: 1 });
  t.deepEqual(Object.values(owners(event.body)), [[".count", ".involvedObject", ".message", ".reason", ".type"]]);
  const events = (await api.get(`/apis/events.k8s.io/v1/namespaces/${ns}/events/a`)).body;
  t.is((await api.put(`/apis/events.k8s.io/v1/namespaces/${ns}/events/a?fieldManager=new`, { ...events, metadata: { ...events.metadata, labels: { a: "b" } } })).status, 200);
  t.deepEqual(entriesOf((await api.get(`/api/v1/namespaces/${ns}/events/a`)).body).map(({ manager, apiVersion }) => `${manager} ${apiVersion}`).sort((a, b) => (a < b ? -1 : 1)), ["new events.k8s.io/v1", "unknown v1"]);
  const role = (await api.get("/apis/rbac.authorization.k8s.io/v1/clusterroles/view")).body;
  t.deepEqual(entriesOf(role).map(({ manager }) => manager), ["kube-apiserver"]);
});

test("what the server sets on its own (addresses, uid, status, admission's additions) is nobody's", async (t) => {
  const ns = await api.namespace("track-own"), service = await api.post(`/api/v1/namespaces/${ns}/services?fieldManager=me`, { metadata: { name: "a" }, spec: { ports: [{ port: 80 }], selector: { app: "a" } } });
  t.deepEqual(owners(service.body), { "me (Update)": [
    ".spec.internalTrafficPolicy", '.spec.ports[port=80,protocol="TCP"].port', '.spec.ports[port=80,protocol="TCP"].protocol', '.spec.ports[port=80,protocol="TCP"].targetPort', ".spec.selector", ".spec.sessionAffinity", ".spec.type",
  ] });
  const made = await api.post(`/api/v1/namespaces/${ns}/pods?fieldManager=me`, { ...pod("a"), metadata: { generateName: "a-" }, status: { phase: "Running" } }), owned = owners(made.body)["me (Update)"]!;
  t.true(made.body.spec.tolerations.length > 0 && made.body.spec.volumes.length > 0);
  t.true(owned.includes(".metadata.generateName"));
  t.deepEqual(owned.filter((path) => /^\.(?:status|spec\.(?:tolerations|volumes|nodeName|serviceAccountName))/.test(path)), []);
});

test("status has managers of its own: appliers and updaters of it own nothing of the spec, and the other way round", async (t) => {
  const ns = await api.namespace("track-status"), path = `/apis/apps/v1/namespaces/${ns}/deployments/web`;
  await apply(api, path, "user", { ...deployment("web", 2), status: { replicas: 9 } });
  const condition = { type: "Progressing", status: "True", reason: "R", message: "m", lastTransitionTime: "2026-01-02T03:04:05Z", lastUpdateTime: "2026-01-02T03:04:05Z" };
  const status = await apply(api, `${path}/status`, "ctl", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", labels: { no: "no" } }, spec: { replicas: 7 }, status: { replicas: 1, conditions: [condition] } });
  t.deepEqual([status.status, status.body.spec.replicas, status.body.status.replicas, status.body.metadata.labels], [200, 2, 1, { app: "web" }]);
  t.true(owners(status.body)["ctl/status"]!.every((field) => field.startsWith(".status")));
  t.like(entriesOf(status.body).find(({ manager }) => manager === "ctl"), { operation: "Apply", subresource: "status", apiVersion: "apps/v1" });
  const put = await api.put(`${path}/status?fieldManager=ctl2`, { ...status.body, status: { ...status.body.status, readyReplicas: 1, observedGeneration: 3 } });
  t.deepEqual(owners(put.body)["ctl2 (Update)/status"], [".status.observedGeneration", ".status.readyReplicas"]);
  t.deepEqual((await apply(api, `${path}/status`, "other", { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, status: { replicas: 2 } })).body.details.causes, [
    { reason: "FieldManagerConflict", message: 'conflict with "ctl" with subresource "status"', field: ".status.replicas" },
  ]);
  t.is((await apply(api, path.replace("web", "none/status"), "ctl", { ...deployment("none"), status: {} })).status, 404);
});

test("scale: PUT, PATCH and apply own the replicas, take them from others, and leave the rest alone", async (t) => {
  const ns = await api.namespace("track-scale"), path = `/apis/apps/v1/namespaces/${ns}/deployments/web`, replicasOwners = async (): Promise<string[]> => Object.entries(owners((await api.get(path)).body)).filter(([, fields]) => fields.includes(".spec.replicas")).map(([name]) => name);
  await apply(api, path, "user", deployment("web", 2));
  const scale = (replicas: number): Json => ({ apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "web", namespace: ns }, spec: { replicas } });
  const before = (await api.get(path)).text;
  t.is((await api.put(`${path}/scale?fieldManager=putter`, scale(2))).status, 200);
  t.is((await api.get(path)).text, before, "nothing scaled, nothing written");
  t.is((await api.put(`${path}/scale?fieldManager=putter`, scale(3))).body.spec.replicas, 3);
  t.deepEqual(await replicasOwners(), ["putter (Update)/scale"]);
  await api.patch(`${path}/scale?fieldManager=patcher`, { spec: { replicas: 4 } });
  t.deepEqual(await replicasOwners(), ["patcher (Update)/scale"]);
  const refused = await apply(api, `${path}/scale`, "hpa", scale(5));
  t.deepEqual([refused.status, refused.body.message], [409, 'Apply failed with 1 conflict: conflict with "patcher" with subresource "scale" using autoscaling/v1: .spec.replicas']);
  t.is((await apply(api, `${path}/scale`, "hpa", scale(5), { force: true })).body.spec.replicas, 5);
  t.deepEqual(await replicasOwners(), ["hpa/scale"]);
  t.is((await apply(api, path, "user", deployment("web", 2))).body.message, 'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale": .spec.replicas');
  t.is((await apply(api, `${path}/scale`, "hpa", deployment("web"))).body.message, "invalid object type: apps/v1, Kind=Deployment");
});

test("a client that sends managedFields may change them, forget them with [] or [{}], but not spoil them", async (t) => {
  const path = await maps("track-sent"), created = await api.post(`${path}?fieldManager=me`, configMap("a", { k: "1" })), put = (managedFields: unknown, data: Json = { k: "1" }): Promise<any> => // eslint-disable-line
    api.put(`${path}/a?fieldManager=me`, { ...configMap("a", data as Record<string, string>), metadata: { name: "a", managedFields } }).then(({ body }) => body);
  t.deepEqual((await put(undefined)).metadata.managedFields, created.body.metadata.managedFields, "not knowing of them loses none");
  for (const spoilt of [{ operation: "Neither" }, { fieldsV1: { x: {} } }, { fieldsV1: { "f:data": 1 } }, { fieldsType: "FieldsV2" }, { apiVersion: "" }]) {
    t.deepEqual((await put([{ ...created.body.metadata.managedFields[0], ...spoilt }])).metadata.managedFields, created.body.metadata.managedFields, JSON.stringify(spoilt));
  }
  t.deepEqual(owners(await put([{ ...created.body.metadata.managedFields[0], manager: "renamed" }])), { "renamed (Update)": [".data.k"] });
  t.deepEqual(entriesOf(await put([{}])), []);
  t.deepEqual(entriesOf(await put(undefined, { k: "2" })), [], "what is not tracked is not begun in the middle");
  const applied = await apply(api, `${path}/a`, "me", configMap("a", { l: "1" }));
  t.deepEqual(owners(applied.body), { "before-first-apply (Update)": [".data.k"], me: [".data.l"] });
  const patched = await api.patch(`${path}/a`, { metadata: { managedFields: [] } });
  t.deepEqual(entriesOf(patched.body), []);
  const other = await api.post(path, { ...configMap("b"), metadata: { name: "b", managedFields: [{ manager: "liar", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:x": {} } }] } });
  t.is(other.status, 201);
});

test("subresources cannot set managedFields by hand", async (t) => {
  const ns = await api.namespace("track-sub"), path = `/apis/apps/v1/namespaces/${ns}/deployments/web`, { body } = await apply(api, path, "user", deployment("web"));
  const put = await api.put(`${path}/status?fieldManager=ctl`, { ...body, metadata: { ...body.metadata, managedFields: [{}] }, status: { replicas: 1 } });
  t.deepEqual(Object.keys(owners(put.body)), ["user", "ctl (Update)/status"]);
});
