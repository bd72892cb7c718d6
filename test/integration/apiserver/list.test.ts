import test, { type ExecutionContext } from "ava";
import type { IncomingMessage } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { gunzipSync } from "node:zlib";
import { Harness, configMap, pod } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); });
test.after.always(() => api.close());

const names = (body: { items: { metadata: { name: string } }[] }) => body.items.map(({ metadata }) => metadata.name);
async function fill(ns: string, count: number): Promise<string> {
  await api.namespace(ns);
  const path = `/api/v1/namespaces/${ns}/configmaps`;
  for (let i = 0; i < count; i++) await api.post(path, configMap(`m${i}`, { n: String(i) }, { parity: i % 2 === 0 ? "even" : "odd" }));
  return path;
}

test("a list is in order of names, its items without kind and apiVersion", async (t) => {
  await api.namespace("l-order");
  const path = "/api/v1/namespaces/l-order/configmaps";
  for (const name of ["c", "a", "b"]) await api.post(path, configMap(name));
  const { body } = await api.get(path);
  t.deepEqual([body.kind, body.apiVersion, names(body)], ["ConfigMapList", "v1", ["a", "b", "c"]]);
  t.deepEqual(Object.keys(body.items[0]), ["metadata"]);
  await api.delete(`${path}/b`);
  await api.post(path, configMap("b2"));
  t.deepEqual(names((await api.get(path)).body), ["a", "b2", "c"]);
});

test("limit and continue walk one snapshot, whatever is written meanwhile", async (t) => {
  const path = await fill("l-page", 7);
  const first = (await api.get(`${path}?limit=3`)).body;
  t.deepEqual([names(first), first.metadata.remainingItemCount], [["m0", "m1", "m2"], 4]);
  await api.delete(`${path}/m4`);
  await api.post(path, configMap("m3a"));
  const second = (await api.get(`${path}?limit=3&continue=${first.metadata.continue}`)).body;
  t.deepEqual([names(second), second.metadata.remainingItemCount, second.metadata.resourceVersion], [["m3", "m4", "m5"], 1, first.metadata.resourceVersion]);
  const third = (await api.get(`${path}?limit=3&continue=${second.metadata.continue}`)).body;
  t.deepEqual([names(third), third.metadata.continue], [["m6"], undefined]);
});

test("pages of a selection are full, and count no remainder", async (t) => {
  const path = await fill("l-select", 9);
  const first = (await api.get(`${path}?limit=3&labelSelector=parity%3Deven`)).body;
  t.deepEqual([names(first), first.metadata.remainingItemCount], [["m0", "m2", "m4"], undefined]);
  await api.post(path, configMap("m5a", {}, { parity: "even" }));
  const second = (await api.get(`${path}?limit=3&labelSelector=parity%3Deven&continue=${first.metadata.continue}`)).body;
  t.deepEqual([names(second), second.metadata.continue], [["m6", "m8"], undefined]);
});

test("an expired continue token is 410 with one that goes on at the newest state", async (t) => {
  const { MemoryStore } = await import("../../../lib/storage/memory-store.ts");
  const store = new MemoryStore(), own = await Harness.start({ store });
  t.teardown(async () => { await own.close(); await store.close(); });
  await own.namespace("l-gone");
  const path = "/api/v1/namespaces/l-gone/configmaps";
  for (const name of ["a", "b", "c"]) await own.post(path, configMap(name));
  const first = (await own.get(`${path}?limit=1`)).body;
  await own.put(`${path}/b`, configMap("b", { k: "v" }));
  await store.compact(await store.currentRevision());
  const expired = await own.get(`${path}?limit=1&continue=${first.metadata.continue}`);
  t.deepEqual([expired.status, expired.body.reason], [410, "Expired"]);
  const rest = (await own.get(`${path}?continue=${expired.body.metadata.continue}`)).body;
  t.deepEqual(names(rest), ["b", "c"]);
});

test("resourceVersion and resourceVersionMatch choose the state that is shown", async (t) => {
  const path = await fill("l-version", 1);
  const then = (await api.get(path)).body.metadata.resourceVersion as string;
  await api.post(path, configMap("later"));
  t.deepEqual(names((await api.get(`${path}?resourceVersion=${then}&resourceVersionMatch=Exact`)).body), ["m0"]);
  t.deepEqual(names((await api.get(`${path}?resourceVersion=${then}&resourceVersionMatch=NotOlderThan`)).body), ["later", "m0"]);
  t.deepEqual(names((await api.get(`${path}?resourceVersion=${then}`)).body), ["later", "m0"]);
  t.deepEqual(names((await api.get(`${path}?resourceVersion=0`)).body), ["later", "m0"]);
  const whole = (await api.get(`${path}?resourceVersion=0&limit=1`)).body;
  t.deepEqual([names(whole), whole.metadata.continue], [["later", "m0"], undefined], "version 0 is answered whole, as upstream's cache answers");
  const alone = await api.get(`${path}?resourceVersionMatch=Exact`);
  t.deepEqual([alone.status, alone.body.message], [422, 'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided']);
});

test("a resourceVersion of the future is 504 with the cause clients look for", async (t) => {
  const { status, body, headers } = await api.get("/api/v1/configmaps?resourceVersion=999999&resourceVersionMatch=NotOlderThan");
  t.is(status, 504);
  t.deepEqual([body.reason, body.details.causes[0].reason, headers["retry-after"]], ["Timeout", "ResourceVersionTooLarge", "1"]);
});

test("field selectors choose by name and by the fields of the kind, and refuse others", async (t) => {
  await api.namespace("l-fields");
  const path = "/api/v1/namespaces/l-fields/pods";
  for (const name of ["p1", "p2"]) await api.post(path, pod(name));
  t.deepEqual(names((await api.get(`${path}?fieldSelector=metadata.name%3Dp2`)).body), ["p2"]);
  t.deepEqual(names((await api.get(`${path}?fieldSelector=status.phase!%3DPending`)).body), []);
  t.deepEqual(names((await api.get("/api/v1/pods?fieldSelector=metadata.namespace%3Dl-fields,metadata.name%3Dp1")).body), ["p1"]);
  const unknown = await api.get(`${path}?fieldSelector=spec.bogus%3D1`);
  t.is(unknown.status, 400);
  t.regex(unknown.body.message, /field label not supported: spec.bogus/);
  t.is((await api.get(`${path}?labelSelector=a%3D%3D%3Db`)).status, 400);
});

/** The text of an answer that must come gzipped. */
async function unzipped(t: ExecutionContext, path: string, accept = "application/json"): Promise<string> {
  const zipped = await new Promise<Buffer>((resolve, reject) => {
    https.get(`${api.server.url}${path}`, { ca: api.server.caPem, cert: api.server.admin.certificatePem, key: api.server.admin.keyPem, headers: { accept, "accept-encoding": "gzip" } }, (response) => {
      t.is(response.headers["content-encoding"], "gzip");
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part)).on("end", () => resolve(Buffer.concat(parts))).on("error", reject);
    }).on("error", reject);
  });
  return gunzipSync(zipped).toString();
}

// Alone: lists are compared as text, and every write of another test gives them another resourceVersion.
test.serial("a long list comes in chunks and is whole, plain and gzipped", async (t) => {
  await api.namespace("l-long");
  const path = "/api/v1/namespaces/l-long/configmaps", filler = "x".repeat(20_000);
  for (let i = 0; i < 60; i++) await api.post(path, configMap(`m${String(i).padStart(2, "0")}`, { filler }));
  const plain = await api.get(path);
  t.true(plain.text.length > 1_000_000);
  t.is(Number(plain.headers["content-length"]), Buffer.byteLength(plain.text));
  t.is(plain.body.items.length, 60);
  t.is(await unzipped(t, path), plain.text);
});

test.serial("a long list for people comes in chunks too, with no length said before, and is the text of the whole value", async (t) => {
  await api.namespace("l-text");
  const path = "/api/v1/namespaces/l-text/configmaps", filler = "y".repeat(2_000);
  for (let i = 0; i < 300; i++) await api.post(path, configMap(`m${String(i).padStart(3, "0")}`, { filler, other: "a\nb" }));
  // Longer than one chunk by itself.
  await api.post(path, configMap("large", { filler: "z".repeat(700_000) }));
  const plain = await api.get(path), pretty = await api.get(`${path}?pretty=true`), yaml = await api.get(path, { accept: "application/yaml" });
  t.is(pretty.text, `${JSON.stringify(plain.body, undefined, 2)}\n`);
  const { parse } = await import("yaml");
  t.deepEqual(parse(yaml.text), plain.body);
  t.deepEqual([pretty.headers["content-length"], yaml.headers["content-length"]], [undefined, undefined]);
  t.is(await unzipped(t, `${path}?pretty=true`), pretty.text);
  t.is(await unzipped(t, path, "application/yaml"), yaml.text);
});

test.serial("long lists at the same time are each whole, also beside a client that reads slowly and one that goes", async (t) => {
  const { ca, cert, key } = { ca: api.server.caPem, cert: api.server.admin.certificatePem, key: api.server.admin.keyPem };
  const paths: string[] = [];
  for (const letter of ["a", "b"] as const) {
    const path = `/api/v1/namespaces/${await api.namespace(`l-beside-${letter}`)}/configmaps`;
    for (let i = 0; i < 40; i++) await api.post(path, configMap(`m${String(i).padStart(2, "0")}`, { filler: letter.repeat(100_000) }));
    paths.push(path);
  }
  const alone = [(await api.get(paths[0]!)).text, (await api.get(paths[1]!)).text];
  const begun = (path: string, headers = {}) => new Promise<IncomingMessage>((resolve, reject) => { https.get(`${api.server.url}${path}`, { ca, cert, key, agent: false, headers }, resolve).on("error", reject); });
  const whole = async (stream: AsyncIterable<Buffer>) => { const parts: Buffer[] = []; for await (const part of stream) parts.push(part); return Buffer.concat(parts); };
  const session = http2.connect(api.server.url, { ca, cert, key });
  t.teardown(() => session.destroy());
  // Begun and not read: the server waits with a few of its pieces written and not taken.
  const slow = await begun(paths[0]!), gone = await begun(paths[1]!);
  for (let round = 0; round < 3; round++) {
    const texts = await Promise.all(paths.flatMap((path) => [
      api.get(path).then(({ text }) => text),
      begun(path, { "accept-encoding": "gzip" }).then(whole).then((body) => gunzipSync(body).toString()),
      whole(session.request({ ":path": path })).then(String),
    ]));
    t.deepEqual(texts.map((text, i) => text === alone[Math.floor(i / 3)]), Array.from({ length: 6 }, () => true));
    gone.destroy();
  }
  t.is((await whole(slow)).toString(), alone[0]!);
});

test("a list for people is indented JSON or YAML of the same value", async (t) => {
  const path = await fill("l-pretty", 3), version = (await api.get(path)).body.metadata.resourceVersion, at = `${path}?resourceVersion=${version}&resourceVersionMatch=Exact`;
  const plain = await api.get(at), pretty = await api.get(`${at}&pretty=true`);
  t.is(pretty.text, `${JSON.stringify(plain.body, undefined, 2)}\n`);
  const yaml = await api.get(at, { accept: "application/yaml" });
  t.is(yaml.headers["content-type"], "application/yaml");
  const { parse } = await import("yaml");
  t.deepEqual(parse(yaml.text), plain.body);
});

test("DELETE of a collection removes what is selected and answers with it", async (t) => {
  const path = await fill("l-delete", 4);
  const { status, body } = await api.delete(`${path}?labelSelector=parity%3Dodd`);
  t.deepEqual([status, body.kind, names(body)], [200, "ConfigMapList", ["m1", "m3"]]);
  t.deepEqual(names((await api.get(path)).body), ["m0", "m2"]);
});
