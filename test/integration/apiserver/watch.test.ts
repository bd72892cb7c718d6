import test from "ava";
import { Harness, configMap, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const summary = ({ type, object }: { type: string; object: { metadata: { name: string } } }) => `${type} ${object.metadata.name}`;

test("watch from a revision delivers every later change once, in order, with its resourceVersion", async (t) => {
  const ns = await api.namespace("w-order"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const start = (await api.get(path)).body.metadata.resourceVersion;
  await api.post(path, configMap("a"));
  const watch = api.watch(`${path}?watch=1&resourceVersion=${start}`);
  const changed = (await api.put(`${path}/a`, configMap("a", { k: "v" }))).body;
  await api.delete(`${path}/a`);
  t.is(await watch.status, 200);
  const events = [await watch.next(), await watch.next(), await watch.next()];
  t.deepEqual(events.map(summary), ["ADDED a", "MODIFIED a", "DELETED a"]);
  t.deepEqual(events[1]!.object, changed);
  const versions = events.map(({ object }) => Number(object.metadata.resourceVersion));
  t.true(versions[0]! < versions[1]! && versions[1]! < versions[2]!);
  watch.close();
});

test("watch without a revision, or from 0, begins with what is there", async (t) => {
  const ns = await api.namespace("w-initial"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, configMap("b"));
  await api.post(path, configMap("a"));
  for (const query of ["watch=1", "watch=true&resourceVersion=0"]) {
    const watch = api.watch(`${path}?${query}`);
    t.deepEqual([await watch.next(), await watch.next()].map(summary), ["ADDED a", "ADDED b"]);
    watch.close();
  }
});

test("sendInitialEvents ends the present state with a bookmark that says so", async (t) => {
  const ns = await api.namespace("w-list"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, configMap("a"));
  const watch = api.watch(`${path}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion=`);
  t.is(summary(await watch.next()), "ADDED a");
  const mark = await watch.next();
  t.is(mark.type, "BOOKMARK");
  t.is(mark.object.metadata.annotations["k8s.io/initial-events-end"], "true");
  t.regex(mark.object.metadata.resourceVersion, /^\d+$/);
  await api.post(path, configMap("b"));
  t.is(summary(await watch.next()), "ADDED b");
  watch.close();
});

test("sendInitialEvents demands resourceVersionMatch; without bookmarks the present state ends in none", async (t) => {
  const { status, body } = await api.get("/api/v1/configmaps?watch=1&sendInitialEvents=true");
  t.deepEqual([status, body.reason], [422, "Invalid"]);
  t.regex(body.message, /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/);
  const ns = await api.namespace("w-unmarked"), path = `/api/v1/namespaces/${ns}/configmaps`;
  await api.post(path, configMap("a"));
  const watch = api.watch(`${path}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`);
  t.is(summary(await watch.next()), "ADDED a");
  await api.post(path, configMap("b"));
  t.is(summary(await watch.next()), "ADDED b");
  watch.close();
});

test("an object that begins to match is ADDED, one that ceases to is DELETED as it last matched", async (t) => {
  const ns = await api.namespace("w-select"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const start = (await api.get(path)).body.metadata.resourceVersion;
  const watch = api.watch(`${path}?watch=1&resourceVersion=${start}&labelSelector=app%3Dweb`);
  await watch.status;
  await api.post(path, configMap("a", { n: "1" }, { app: "db" }));
  await api.put(`${path}/a`, configMap("a", { n: "2" }, { app: "web" }));
  await api.put(`${path}/a`, configMap("a", { n: "3" }, { app: "web" }));
  const left = (await api.put(`${path}/a`, configMap("a", { n: "4" }, { app: "db" }))).body;
  const events = [await watch.next(), await watch.next(), await watch.next()];
  t.deepEqual(events.map(({ type, object }) => [type, object.data.n]), [["ADDED", "2"], ["MODIFIED", "3"], ["DELETED", "3"]]);
  t.is(events[2]!.object.metadata.resourceVersion, left.metadata.resourceVersion);
  watch.close();
});

test("a field selector follows the field: pods of one node", async (t) => {
  const ns = await api.namespace("w-node"), path = `/api/v1/namespaces/${ns}/pods`;
  const watch = api.watch("/api/v1/pods?watch=1&fieldSelector=spec.nodeName%3Dn7");
  await watch.status;
  await api.post(path, pod("p"));
  await api.post(`${path}/p/binding`, { metadata: { name: "p" }, target: { kind: "Node", name: "n7" } });
  t.is(summary(await watch.next()), "ADDED p");
  await api.delete(`${path}/p`, { gracePeriodSeconds: 0 });
  t.is(summary(await watch.next()), "DELETED p");
  watch.close();
});

test("a watch of one namespace hears nothing of another", async (t) => {
  const ns = await api.namespace("w-here"), other = await api.namespace("w-here-not");
  const watch = api.watch(`/api/v1/namespaces/${ns}/configmaps?watch=1`);
  await watch.status;
  await api.post(`/api/v1/namespaces/${other}/configmaps`, configMap("a"));
  await api.post(`/api/v1/namespaces/${ns}/configmaps`, configMap("b"));
  t.is(summary(await watch.next()), "ADDED b");
  watch.close();
});

test("timeoutSeconds ends the watch, with a bookmark before for those who asked", async (t) => {
  const { body } = await api.get("/apis/apps/v1/daemonsets");
  const watch = api.watch(`/apis/apps/v1/daemonsets?watch=1&resourceVersion=${body.metadata.resourceVersion}&timeoutSeconds=3&allowWatchBookmarks=true`);
  const { type, object } = await watch.next();
  t.deepEqual([type, object.kind], ["BOOKMARK", "DaemonSet"]);
  t.true(Number(object.metadata.resourceVersion) >= Number(body.metadata.resourceVersion));
  await watch.ended;
});

test("the older path /watch/ works", async (t) => {
  const ns = await api.namespace("w-old");
  const watch = api.watch(`/api/v1/watch/namespaces/${ns}/configmaps/one`);
  await watch.status;
  await api.post(`/api/v1/namespaces/${ns}/configmaps`, configMap("two"));
  await api.post(`/api/v1/namespaces/${ns}/configmaps`, configMap("one"));
  t.is(summary(await watch.next()), "ADDED one");
  watch.close();
});

test("a watch of tables carries the columns once and rows after", async (t) => {
  const ns = await api.namespace("w-table"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const watch = api.watch(`${path}?watch=1`, { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" });
  await api.post(path, configMap("a", { x: "1", y: "2" }));
  await api.post(path, configMap("b"));
  const [first, second] = [await watch.next(), await watch.next()];
  t.is(first.object.kind, "Table");
  t.deepEqual(first.object.columnDefinitions.map((c: { name: string }) => c.name), ["Name", "Data", "Age"]);
  t.deepEqual(first.object.rows[0].cells.slice(0, 2), ["a", 2]);
  t.is(first.object.rows[0].object.kind, "PartialObjectMetadata");
  t.falsy(second.object.columnDefinitions);
  watch.close();
});

test("a watch from a revision that was compacted is 410 inside the stream", async (t) => {
  const { MemoryStore } = await import("../../../lib/storage/memory-store.ts");
  const store = new MemoryStore(), first = await Harness.start({ store });
  await first.namespace("gone");
  const path = "/api/v1/namespaces/gone/configmaps";
  const { body } = await first.post(path, configMap("a"));
  await first.put(`${path}/a`, configMap("a", { k: "v" }));
  await first.close();
  await store.compact(await store.currentRevision());
  const second = await Harness.start({ store });
  t.teardown(async () => { await second.close(); await store.close(); });
  const watch = second.watch(`${path}?watch=1&resourceVersion=${body.metadata.resourceVersion}`);
  t.is(await watch.status, 200);
  const { type, object } = await watch.next();
  t.deepEqual([type, object.code, object.reason], ["ERROR", 410, "Expired"]);
  t.regex(object.message, /^too old resource version: \d+ \(\d+\)$/);
  await watch.ended;
});

test("a watch from before this process started is served from the store's history", async (t) => {
  const { MemoryStore } = await import("../../../lib/storage/memory-store.ts");
  const store = new MemoryStore(), first = await Harness.start({ store });
  const ns = await first.namespace("history"), path = `/api/v1/namespaces/${ns}/configmaps`;
  const { body } = await first.post(path, configMap("a", {}, { keep: "yes" }));
  await first.put(`${path}/a`, configMap("a", { k: "v" }, { keep: "no" }));
  await first.post(path, configMap("b", {}, { keep: "yes" }));
  await first.close();
  const second = await Harness.start({ store });
  t.teardown(async () => { await second.close(); await store.close(); });
  const watch = second.watch(`${path}?watch=1&resourceVersion=${body.metadata.resourceVersion}&labelSelector=keep%3Dyes`);
  t.deepEqual([await watch.next(), await watch.next()].map(summary), ["DELETED a", "ADDED b"]);
  await second.post(path, configMap("c", {}, { keep: "yes" }));
  t.is(summary(await watch.next()), "ADDED c");
  watch.close();
});

test("closing the server ends its watches", async (t) => {
  const own = await Harness.start();
  const watch = own.watch("/api/v1/pods?watch=1");
  await watch.status;
  await own.close();
  await watch.ended;
  t.pass();
});
