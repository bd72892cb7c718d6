/**
 * What no honest client sends: always a Status that says so, never a crash, a polluted prototype, a connection nobody closes.
 * Objects of the right types with parts missing are in `malformed-objects.test.ts`, the loop's turns in `test/integration/event-loop`.
 */
import { once } from "node:events";
import http2 from "node:http2";
import tls from "node:tls";
import { gzipSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { Harness, configMap, deployment, type Answer, type CallOptions } from "./harness.ts";

let api: Harness;
const MAPS = "/api/v1/namespaces/bad/configmaps", DEPLOYMENTS = "/apis/apps/v1/namespaces/bad/deployments";
test.before(async () => {
  api = await Harness.start();
  await api.namespace("bad");
  await api.post(MAPS, configMap("one", { k: "v" }));
  await api.post(DEPLOYMENTS, deployment("one"));
});
test.after.always(async () => { await api.close(); });

/** An answer that means what it says: a Status for a failure, and no accident of ours. */
function isMeant({ status, body, text }: Answer, what: string): void {
  const accident = body?.reason === "InternalError" || status >= 400 && (body?.kind !== "Status" || typeof body.message !== "string" || body.code !== status);
  if (accident) throw new Error(`${status} ${text.slice(0, 500)}\nfor ${what.slice(0, 500)}`);
}
const send = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
  const answer = await api.call(method, path, options);
  isMeant(answer, `${method} ${path} ${Buffer.isBuffer(options.body) ? options.body.toString("latin1") : String(options.body)}`);
  return answer;
};
const typed = (type: string): Record<string, string> => ({ "content-type": `application/${type}` });
const PATCHES = ["json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"] as const;
const check = (property: fc.IAsyncProperty<unknown[]>, numRuns = 60): Promise<void> => fc.assert(property as fc.IAsyncProperty<unknown>, { numRuns, includeErrorInReport: true });

test("bytes that are no JSON, or JSON of any kind, are refused or taken, as object, YAML, patch and delete options", async (t) => {
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)), fc.json().map((text) => Buffer.from(text)), fc.string({ unit: "binary" }).map((text) => Buffer.from(text)));
  await check(fc.asyncProperty(bytes, fc.constantFrom("json", "yaml", "vnd.kubernetes.protobuf"), fc.constantFrom(...PATCHES), async (body, form, patch) => {
    await send("POST", `${MAPS}?dryRun=All`, { body, headers: typed(form) });
    await send("PUT", `${DEPLOYMENTS}/one?dryRun=All`, { body, headers: typed(form) });
    await send("PATCH", `${DEPLOYMENTS}/one?dryRun=All&fieldManager=x`, { body, headers: typed(patch) });
    if (body.length > 0) await send("DELETE", `${MAPS}/one?dryRun=All`, { body, headers: typed(form) });
  }) as never);
  t.pass();
});

test("protobuf that is cut or twisted anywhere is refused", async (t) => {
  const magic = Buffer.from([0x6b, 0x38, 0x73, 0]);
  await check(fc.asyncProperty(fc.uint8Array({ maxLength: 120 }), async (array) => void await send("POST", `${MAPS}?dryRun=All`, { body: Buffer.concat([magic, array]), headers: typed("vnd.kubernetes.protobuf") })) as never, 120);
  t.pass();
});

test("patches of any shape are done or refused, and change nothing else", async (t) => {
  const value = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: "small" }, fc.constantFrom(null, true, 0, -1, 1.5, 1e300, "", "x", "web", "$patch", "delete"), fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom("metadata", "spec", "template", "containers", "name", "image", "labels", "$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "finalizers", "__proto__", "constructor", "ports", "containerPort", "replicas", "strategy", ""), tie("node"), { maxKeys: 4 })),
  })).node;
  const pointer = fc.array(fc.constantFrom("spec", "metadata", "labels", "template", "containers", "0", "-", "-1", "1e3", "~0", "~1", "~", "__proto__", "constructor", "prototype", "name", ""), { maxLength: 6 }).map((parts) => parts.map((part) => `/${part}`).join(""));
  const operations = fc.array(fc.record({ op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "bogus"), path: pointer, from: pointer, value }, { requiredKeys: ["op"] }), { maxLength: 5 });
  await check(fc.asyncProperty(value, operations, async (patch, list) => {
    for (const type of PATCHES.slice(1)) await send("PATCH", `${DEPLOYMENTS}/one?dryRun=All&fieldManager=x`, { body: JSON.stringify(patch), headers: typed(type) });
    await send("PATCH", `${DEPLOYMENTS}/one?dryRun=All`, { body: JSON.stringify(list), headers: typed("json-patch+json") });
  }) as never, 80);
  t.is((await api.get(`${DEPLOYMENTS}/one`)).body.metadata.generation, 1);
  t.is(({} as Record<string, unknown>)["spec"], undefined);
});

test("queries of any text are answered: selectors, limits, versions, tokens, names", async (t) => {
  const word = fc.constantFrom("a", "in", "notin", "(", ")", "()", ",", "=", "==", "!=", "!", ">", "<", " ", "x".repeat(300), "-", "_", ".", "/", "é", "\u0000", "%", "metadata.name", "status.phase", "__proto__", "0", "-1", "99999999999999999999");
  const text = fc.oneof(fc.array(word, { maxLength: 8 }).map((words) => words.join("")), fc.string({ unit: "binary", maxLength: 40 }));
  const token = fc.oneof(text, fc.record({ v: text, rv: fc.oneof(fc.integer(), text), start: text }).map((value) => Buffer.from(JSON.stringify(value)).toString("base64url")));
  const key = fc.constantFrom("labelSelector", "fieldSelector", "limit", "resourceVersion", "resourceVersionMatch", "timeoutSeconds", "dryRun", "fieldValidation", "pretty", "includeObject", "sendInitialEvents");
  await check(fc.asyncProperty(fc.array(fc.tuple(key, text), { maxLength: 3 }), token, async (pairs, continued) => {
    const query = [...pairs, ...(pairs.length % 2 === 0 ? [["continue", continued] as const] : [])].map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join("&");
    await send("GET", `${MAPS}?${query}`);
    await send("GET", `${MAPS}/${encodeURIComponent(continued.toWellFormed().slice(0, 60)) || "x"}?${query}`);
    const watch = api.watch(`${MAPS}?${query}&watch=1`);
    if (await watch.status >= 500) throw new Error(`a watch with ${query} is answered with ${await watch.status}`);
    watch.close();
  }) as never, 80);
  t.pass();
});

test("media types and encodings of any text are answered", async (t) => {
  const part = fc.constantFrom("application/json", "*/*", "text/html", ";as=Table", ";as=Bogus", ";g=meta.k8s.io", ";v=v1", ";q=0", ";q=x", ",", " ", ";", "application/yaml", "application/vnd.kubernetes.protobuf", ";charset=utf-8", "=", "\"");
  const accept = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
  await check(fc.asyncProperty(accept, accept, async (accepted, sent) => {
    const got = await api.get(`${MAPS}/one`, { accept: accepted });
    t.true(got.status === 200 || got.status === 406, `${got.status} for ${accepted}`);
    await send("POST", `${MAPS}?dryRun=All`, { body: "{}", headers: { "content-type": sent } });
  }) as never, 100);
});

test("depth, digits, repeated keys and names of prototypes", async (t) => {
  const deep = (open: string, depth: number): string => open.repeat(depth);
  for (const [body, type] of [[deep("[", 200_000), "json"], [deep('{"a":', 200_000), "json"], [deep('{"metadata":', 5_000) + "1" + "}".repeat(5_000), "json"], [deep("[", 3_000), "yaml"], [deep("- ", 3_000), "yaml"]] as const) {
    t.is((await send("POST", MAPS, { body, headers: typed(type) })).status, 400, `${type} ${body.slice(0, 12)}`);
  }
  for (const type of PATCHES) t.true([400, 422].includes((await send("PATCH", `${DEPLOYMENTS}/one?fieldManager=x`, { body: deep('{"spec":', 100_000), headers: typed(type) })).status), type);
  for (const number of ["1e999", "-1e999", "9".repeat(400), "0.1", "1e2", "-9223372036854775809", "9223372036854775808", "00", "1.", "+1", "NaN", "Infinity"]) {
    const { status } = await send("PATCH", `${DEPLOYMENTS}/one?dryRun=All`, { body: `{"spec":{"progressDeadlineSeconds":${number}}}`, headers: typed("merge-patch+json") });
    t.true([400, 422].includes(status) || number === "1e2", `${number}: ${status}`);
  }
  for (const raw of ["1e999", "[-1e999]", "9".repeat(400)]) {
    const { status } = await send("POST", "/apis/apps/v1/namespaces/bad/controllerrevisions?dryRun=All", { body: `{"metadata":{"name":"r"},"revision":1,"data":{"a":${raw}}}` });
    t.is(status, 400, "what no double holds is not stored as null");
  }
  for (const quantity of ["1e999999", "9".repeat(500), "1".repeat(30) + "Ei", "0." + "0".repeat(300) + "1", "-1", "1ee1", "١"]) {
    await send("POST", `/api/v1/namespaces/bad/limitranges?dryRun=All`, { body: { metadata: { name: "q" }, spec: { limits: [{ type: "Container", max: { cpu: quantity } }] } } });
  }
  const named = { metadata: { name: "proto", labels: JSON.parse('{"__proto__":"a"}') as object, annotations: { constructor: "b" } }, data: JSON.parse('{"__proto__":"c","constructor":"d","toString":"e"}') as object };
  const made = await send("POST", MAPS, { body: JSON.stringify(named).replace('"labels":{"__proto__":"a"},', "") });
  t.is(made.status, 201, made.text);
  t.deepEqual(Object.entries(JSON.parse(made.text).data as object), [["__proto__", "c"], ["constructor", "d"], ["toString", "e"]]);
  t.is((await send("POST", MAPS, { body: JSON.stringify({ ...named, metadata: { ...named.metadata, name: "proto-2" } }) })).status, 422, "a label may not begin with an underscore");
  t.is((await send("POST", MAPS, { body: '{"metadata":{"name":"utf8"},"data":{"k":"\u{1F600}"}}' })).body.data.k, "\u{1F600}");
  const broken = await send("POST", MAPS, { body: Buffer.concat([Buffer.from('{"metadata":{"name":"latin1"},"data":{"k":"'), Buffer.from([0xe9, 0xff]), Buffer.from('"}}')]) });
  t.is(broken.body.data.k, "\uFFFD\uFFFD", "bytes that are no UTF-8 are replaced, as Go does");
});

test("names every object of the language has are names like any other: keys, labels, media types, headers, parameters", async (t) => {
  for (const name of ["constructor", "__proto__", "toString", "hasOwnProperty"]) {
    const scale = await send("PATCH", `${DEPLOYMENTS}/one/scale`, { body: "{}", headers: { "content-type": name } }), patch = await send("PATCH", `${DEPLOYMENTS}/one`, { body: "{}", headers: { "content-type": name } });
    t.deepEqual([scale.status, patch.status], [415, 415], name);
    const self = await api.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { "impersonate-user": "jane", [`impersonate-extra-${name}`]: "x" });
    t.deepEqual(Object.entries(self.body.status.userInfo.extra as object), [[name.toLowerCase(), ["x"]]], name);
    t.deepEqual((await api.get(`${MAPS}?labelSelector=${name === "__proto__" ? "x" : name}`)).body.items, []);
    t.is((await send("GET", `/apis/${name}`)).status, 404);
    t.is((await send("GET", `/apis/${name}/v1/${name}/${name}`)).status, 404);
    t.is((await send("GET", `${DEPLOYMENTS}/one/${name}`)).status, 404);
    t.is((await send("GET", `/api/v1/componentstatuses/${name}`)).status, 404);
    t.is((await api.get(`${MAPS}/one`, { accept: `application/json;as=${name};v=v1;g=meta.k8s.io,application/json` })).status, 200);
    if (name === "__proto__") continue;
    const selected = await send("POST", "/api/v1/namespaces/bad/pods?dryRun=All", { body: { metadata: { name: "p", annotations: { [name]: "a" } }, spec: { nodeSelector: { [name]: "a" }, containers: [{ name: "c", image: "x" }] } } });
    t.deepEqual([selected.status, selected.headers["warning"]], [201, undefined], selected.text);
  }
});

test("bodies that are compressed, endless, short or cut are refused", async (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  t.is((await send("POST", MAPS, { body: bomb, headers: { ...typed("json"), "content-encoding": "gzip" } })).status, 400, "nothing is unpacked");
  t.is((await send("POST", MAPS, { body: Buffer.alloc(3 * 1024 * 1024 + 1, " ") })).status, 413);
  const socket = tls.connect({ port: api.server.port, host: "127.0.0.1", ca: api.server.caPem, cert: api.server.admin.certificatePem, key: api.server.admin.keyPem, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  socket.write(`POST ${MAPS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`);
  let text = "";
  for await (const part of socket) text += String(part);
  t.regex(text, /^HTTP\/1\.1 400 /);
  const cut = tls.connect({ port: api.server.port, host: "127.0.0.1", ca: api.server.caPem, cert: api.server.admin.certificatePem, key: api.server.admin.keyPem, ALPNProtocols: ["http/1.1"] });
  await once(cut, "secureConnect");
  cut.write(`POST ${MAPS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"metadata":`);
  cut.destroy();
  t.is((await api.get(`${MAPS}/one`)).status, 200);
});

test.serial("ten thousand idle watches cost what they must and are forgotten when they go", async (t) => {
  const watching = async (): Promise<number> => Number(/apiserver_longrunning_requests\{verb="WATCH"\} (\d+)/.exec((await api.get("/metrics")).text)?.[1] ?? 0);
  const { certificatePem: cert, keyPem: key } = api.server.admin, before = await watching();
  const sessions = await Promise.all(Array.from({ length: 40 }, async () => {
    const session = http2.connect(api.server.url, { ca: api.server.caPem, cert, key });
    await once(session, "connect");
    return session;
  }));
  const version = (await api.get(MAPS)).body.metadata.resourceVersion;
  for (const session of sessions) {
    await Promise.all(Array.from({ length: 250 }, async () => {
      const stream = session.request({ ":path": `/api/v1/namespaces/bad/secrets?watch=1&resourceVersion=${version}` });
      stream.resume();
      const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
      if (headers[":status"] !== 200) throw new Error(`watch answered ${String(headers[":status"])}`);
    }));
  }
  t.is(await watching(), before + 10_000);
  t.is((await send("POST", MAPS, { body: configMap("beside-watches") })).status, 201);
  for (const session of sessions) session.destroy();
  for (let i = 0; i < 2_000 && (await watching()) !== before; i++);
  t.is(await watching(), before);
});
