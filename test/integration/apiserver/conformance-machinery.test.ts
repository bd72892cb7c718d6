/**
 * What upstream's conformance tests of the API machinery demand, re-told: `test/e2e/apimachinery/{watch,chunking,table_conversion,namespace,
 * resource_quota}.go`. What needs controllers is in `test/integration/controllers`.
 */
import test from "ava";
import { Harness, configMap, pod, type Json, type Watch } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const seen = async (watch: Watch, count: number): Promise<string[]> => {
  const events: string[] = [];
  while (events.length < count) { const { type, object } = await watch.next(); events.push(`${type} ${object.metadata.name} ${object.data?.mutation ?? "0"}`); }
  return events;
};
const names = (body: { items: { metadata: { name: string } }[] }): string[] => body.items.map(({ metadata }) => metadata.name);

test("watches by label see their own objects, one by a set of values sees both (watch.go: add, update and delete)", async (t) => {
  const ns = await api.namespace("watchers"), path = `/api/v1/namespaces/${ns}/configmaps`, start = (await api.get(path)).body.metadata.resourceVersion;
  const on = (selector: string): Watch => api.watch(`${path}?watch=1&resourceVersion=${start}&labelSelector=${encodeURIComponent(selector)}`);
  const a = on("w=a"), b = on("w=b"), both = on("w in (a,b)"), neither = on("w,w notin (a,b)");
  await api.post(path, configMap("of-a", {}, { w: "a" }));
  for (const mutation of ["1", "2"]) await api.patch(`${path}/of-a`, { data: { mutation } });
  await api.delete(`${path}/of-a`);
  await api.post(path, configMap("of-b", {}, { w: "b" }));
  await api.delete(`${path}/of-b`);
  await api.post(path, configMap("of-c", {}, { w: "c" }));
  const ofA = ["ADDED of-a 0", "MODIFIED of-a 1", "MODIFIED of-a 2", "DELETED of-a 2"], ofB = ["ADDED of-b 0", "DELETED of-b 0"];
  t.deepEqual(await seen(a, 4), ofA);
  t.deepEqual(await seen(b, 2), ofB);
  t.deepEqual(await seen(both, 6), [...ofA, ...ofB]);
  t.deepEqual(await seen(neither, 1), ["ADDED of-c 0"]);
  for (const watch of [a, b, both, neither]) watch.close();
});

test("a watch goes on from where another ended, and one from an old version sees what came after (watch.go: restart, specific version)", async (t) => {
  const ns = await api.namespace("restart"), path = `/api/v1/namespaces/${ns}/configmaps`, start = (await api.get(path)).body.metadata.resourceVersion;
  const first = api.watch(`${path}?watch=1&resourceVersion=${start}`);
  await api.post(path, configMap("one"));
  const { object } = await first.next();
  first.close();
  const updated = (await api.patch(`${path}/one`, { data: { mutation: "1" } })).body;
  await api.patch(`${path}/one`, { data: { mutation: "2" } });
  await api.delete(`${path}/one`);
  const second = api.watch(`${path}?watch=1&resourceVersion=${object.metadata.resourceVersion}`);
  t.deepEqual(await seen(second, 3), ["MODIFIED one 1", "MODIFIED one 2", "DELETED one 2"]);
  const third = api.watch(`${path}?watch=1&resourceVersion=${updated.metadata.resourceVersion}`);
  t.deepEqual(await seen(third, 2), ["MODIFIED one 2", "DELETED one 2"]);
  second.close();
  third.close();
});

test("an object that leaves the selection is deleted for its watcher, and added when it comes back (watch.go: selector)", async (t) => {
  const ns = await api.namespace("leaving"), path = `/api/v1/namespaces/${ns}/configmaps`, watch = api.watch(`${path}?watch=1&labelSelector=w%3Dhere`);
  await watch.status;
  await api.post(path, configMap("one", {}, { w: "here" }));
  await api.patch(`${path}/one`, { data: { mutation: "1" } });
  await api.patch(`${path}/one`, { metadata: { labels: { w: "away" } } });
  await api.patch(`${path}/one`, { data: { mutation: "2" } }); // Not seen: it is away.
  await api.patch(`${path}/one`, { metadata: { labels: { w: "here" } } });
  await api.patch(`${path}/one`, { data: { mutation: "3" } });
  await api.delete(`${path}/one`);
  t.deepEqual(await seen(watch, 6), ["ADDED one 0", "MODIFIED one 1", "DELETED one 1", "ADDED one 2", "MODIFIED one 3", "DELETED one 3"]);
  watch.close();
});

test("watches begun at every version while writes go on see the same events in the same order (watch.go: concurrent watches)", async (t) => {
  const ns = await api.namespace("order"), path = `/api/v1/namespaces/${ns}/configmaps`, versions: string[] = [(await api.get(path)).body.metadata.resourceVersion];
  const write = async (index: number): Promise<void> => {
    const name = `m${index % 7}`, made = await api.post(path, configMap(name)), body = made.status === 201 ? made.body : (await api.patch(`${path}/${name}`, { data: { mutation: String(index) } })).body;
    versions.push(body.metadata.resourceVersion);
    if (index % 5 === 4) await api.delete(`${path}/${name}`);
  };
  const watches: Watch[] = [];
  for (let index = 0; index < 40; index++) {
    await write(index);
    if (index % 4 === 0) watches.push(api.watch(`${path}?watch=1&resourceVersion=${versions[index / 2]}`));
  }
  const last = (await api.post(path, configMap("last"))).body.metadata.resourceVersion;
  const histories = await Promise.all(watches.map(async (watch) => {
    const got: string[] = [];
    for (;;) { const { type, object } = await watch.next(); got.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`); if (object.metadata.resourceVersion === last) return got; }
  }));
  const longest = histories.toSorted((a, b) => b.length - a.length)[0]!;
  t.true(longest.length > 40);
  for (const history of histories) t.deepEqual(history, longest.slice(-history.length));
  watches.forEach((watch) => watch.close());
});

test("chunks are of one version, count down what remains, and hold everything once (chunking.go: chunks of results)", async (t) => {
  const ns = await api.namespace("chunks"), path = `/api/v1/namespaces/${ns}/podtemplates`, total = 41, template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x" }] } };
  await Promise.all(Array.from({ length: total }, (_, i) => api.post(path, { metadata: { name: `template-${String(i).padStart(4, "0")}` }, template })));
  for (const limit of [1, 7, 17, 40, 41, 42, 500]) {
    let found: string[] = [], token = "", version = "";
    do {
      const { body } = await api.get(`${path}?limit=${limit}${token === "" ? "" : `&continue=${token}`}`);
      if (version === "") version = body.metadata.resourceVersion;
      t.is(body.metadata.resourceVersion, version);
      found = [...found, ...names(body)];
      t.is(body.metadata.remainingItemCount ?? 0, total - found.length);
      token = body.metadata.continue ?? "";
    } while (token !== "");
    t.deepEqual(found, Array.from({ length: total }, (_, i) => `template-${String(i).padStart(4, "0")}`));
  }
  const table = (await api.get(`${path}?limit=5`, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" })).body;
  t.deepEqual([table.rows.length, table.metadata.remainingItemCount, table.metadata.continue === ""], [5, total - 5, false]);
  const rest = (await api.get(`${path}?limit=100&continue=${table.metadata.continue}`, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" })).body;
  t.deepEqual([rest.rows.length, rest.metadata.remainingItemCount, rest.metadata.continue], [total - 5, undefined, undefined]);
});

test("a continue token cannot be mixed with a version, cannot be forged, and is bound to its path (storage tests of `continue`)", async (t) => {
  const ns = await api.namespace("tokens"), path = `/api/v1/namespaces/${ns}/configmaps`;
  for (const name of ["a", "b", "c"]) await api.post(path, configMap(name));
  const { continue: token, resourceVersion } = (await api.get(`${path}?limit=1`)).body.metadata;
  const mixed = await api.get(`${path}?limit=1&continue=${token}&resourceVersion=${resourceVersion}`);
  t.deepEqual([mixed.status, mixed.body.reason], [400, "BadRequest"]);
  t.is((await api.get(`${path}?limit=1&continue=${token}&resourceVersion=0`)).status, 200);
  const read = (text: string): string => Buffer.from(text, "base64url").toString(), forge = (change: (value: any) => void): string => { // eslint-disable-line
    const value = JSON.parse(read(token)); change(value); return Buffer.from(JSON.stringify(value)).toString("base64url");
  };
  t.deepEqual(JSON.parse(read(token)), { v: "meta.k8s.io/v1", rv: Number(resourceVersion), start: "a\u0000" });
  for (const [what, forged] of [["another form", forge((v) => { v.v = "meta.k8s.io/v9"; })], ["no start", forge((v) => { v.start = ""; })], ["up and away", forge((v) => { v.start = "../other/a"; })], ["rv 0", forge((v) => { v.rv = 0; })], ["words", "no-token"], ["not JSON", Buffer.from("{").toString("base64url")]] as const) {
    const { status, body } = await api.get(`${path}?limit=1&continue=${forged}`);
    t.deepEqual([status, body.reason], [400, "BadRequest"], `${what}: ${body.message}`);
  }
});

test("a kind without metadata has no table: 406 (table_conversion.go)", async (t) => {
  const { status, body } = await api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec: { nonResourceAttributes: { path: "/", verb: "get" } } }, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  t.deepEqual([status, body.kind, body.reason], [406, "Status", "NotAcceptable"]);
});

test("nodes and pods come as tables with metadata, for one namespace and all (table_conversion.go)", async (t) => {
  const ns = await api.namespace("tables"), accept = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
  await api.post("/api/v1/nodes", { metadata: { name: "table-node" } });
  await api.post(`/api/v1/namespaces/${ns}/pods`, pod("table-pod"));
  const one = (await api.get(`/api/v1/namespaces/${ns}/pods/table-pod`, accept)).body;
  t.is(one.columnDefinitions[0].name, "Name");
  t.deepEqual([one.rows.length, one.rows[0].cells.length, one.rows[0].cells[0], one.rows[0].object.metadata.name], [1, one.columnDefinitions.length, "table-pod", "table-pod"]);
  for (const path of ["/api/v1/nodes", "/api/v1/pods"]) {
    const { columnDefinitions, rows } = (await api.get(path, accept)).body;
    t.true(columnDefinitions.every((c: Json) => c["name"] !== "" && c["type"] !== "" && c["description"] !== ""));
    t.true(rows.length > 0 && rows.every((row: { cells: unknown[]; object: { kind: string; metadata: Json } }) => row.cells.length === columnDefinitions.length && row.object.kind === "PartialObjectMetadata"), path);
  }
});

test("a namespace is patched, updated, given a status and a finalizer (namespace.go)", async (t) => {
  const path = "/api/v1/namespaces/conformed";
  const made = (await api.post("/api/v1/namespaces", { metadata: { name: "conformed" } })).body;
  t.deepEqual([made.metadata.labels, made.spec.finalizers, made.status.phase], [{ "kubernetes.io/metadata.name": "conformed" }, ["kubernetes"], "Active"]);
  t.is((await api.patch(path, { metadata: { labels: { testLabel: "testValue" } } }, "strategic-merge")).body.metadata.labels.testLabel, "testValue");
  const updated = (await api.put(path, { ...made, metadata: { ...made.metadata, resourceVersion: undefined, labels: { updated: "yes" } } })).body;
  t.deepEqual(updated.metadata.labels, { updated: "yes", "kubernetes.io/metadata.name": "conformed" });
  const condition = { type: "StatusPatch", status: "True", reason: "E2E", message: "Set by a test" };
  const patched = (await api.patch(`${path}/status`, { metadata: { annotations: { nspatchstatus: "true" } }, status: { conditions: [condition] } })).body;
  t.like(patched.status.conditions[0], condition);
  t.is(patched.metadata.annotations.nspatchstatus, "true");
  const current = (await api.get(path)).body;
  const finalized = await api.put(`${path}/finalize`, { ...current, spec: { finalizers: [...current.spec.finalizers, "e2e.example.com/fakeFinalizer"] } });
  t.deepEqual([finalized.status, finalized.body.spec.finalizers], [200, ["kubernetes", "e2e.example.com/fakeFinalizer"]]);
  const taken = await api.put(`${path}/finalize`, { ...finalized.body, spec: { finalizers: ["kubernetes"] } });
  t.deepEqual(taken.body.spec.finalizers, ["kubernetes"]);
  t.deepEqual((await api.put(path, { ...taken.body, spec: { finalizers: [] } })).body.spec.finalizers, ["kubernetes"], "only /finalize finalizes");
  t.is((await api.get(`${path}/finalize`)).status, 405);
});

test("a quota's limits change by update, its status through /status only (resource_quota.go)", async (t) => {
  const ns = await api.namespace("quota-api"), path = `/api/v1/namespaces/${ns}/resourcequotas`;
  await api.post(path, { metadata: { name: "q" }, spec: { hard: { cpu: "1", memory: "500Mi" } } });
  const updated = (await api.put(`${path}/q`, { metadata: { name: "q" }, spec: { hard: { cpu: "2", memory: "1024Mi" } } })).body;
  t.deepEqual(updated.spec.hard, { cpu: "2", memory: "1Gi" });
  const status = (await api.put(`${path}/q/status`, { ...updated, status: { hard: { cpu: "2000m", memory: "1Gi" }, used: { cpu: "0.5" } } })).body;
  t.deepEqual(status.status, { hard: { cpu: "2", memory: "1Gi" }, used: { cpu: "500m" } });
  t.is((await api.patch(`${path}/q`, { status: { used: { cpu: "7" } } })).body.status.used.cpu, "500m");
});
