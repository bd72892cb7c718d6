import test from "ava";
import http2 from "node:http2";
import https from "node:https";
import tls from "node:tls";
import { once } from "node:events";
import { configmaps } from "../../../lib/api/schema/generated/references.ts";
import { createAuthority, issue } from "../../../lib/pki/certificate.ts";
import { privateKeyPem } from "../../../lib/pki/keys.ts";
import { Harness, configMap } from "./harness.ts";

let api: Harness;
test.before(async () => { api = await Harness.start(); await api.namespace("http"); });
test.after.always(() => api.close());

const credentials = () => ({ ca: api.server.caPem, cert: api.server.admin.certificatePem, key: api.server.admin.keyPem });

function request2(session: http2.ClientHttp2Session, headers: http2.OutgoingHttpHeaders, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    let status = 0, text = "";
    stream.on("response", (answer) => { status = answer[":status"]!; });
    stream.setEncoding("utf8").on("data", (part: string) => { text += part; }).on("end", () => resolve({ status, text })).on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

test("HTTP/2 and HTTP/1.1 on one port give the same answers", async (t) => {
  const session = http2.connect(api.server.url, credentials());
  t.teardown(() => session.destroy());
  const path = "/api/v1/namespaces/http/configmaps";
  const created = await request2(session, { ":method": "POST", ":path": path, "content-type": "application/json" }, JSON.stringify(configMap("over-h2", { k: "v" })));
  t.is(created.status, 201);
  const read = await request2(session, { ":path": `${path}/over-h2` });
  t.is(read.text, (await api.get(`${path}/over-h2`)).text);
  t.is((await request2(session, { ":path": "/bogus" })).status, 404);
  t.is((await request2(session, { ":method": "POST", ":path": path, "content-type": "application/json" }, JSON.stringify(configMap("big", { k: "x".repeat(3_200_000) })))).status, 413);
});

test("many streams of one HTTP/2 session are answered, a long list beside a watch", async (t) => {
  const session = http2.connect(api.server.url, credentials());
  t.teardown(() => session.destroy());
  const path = "/api/v1/namespaces/http/secrets", filler = Buffer.alloc(60_000, "x").toString("base64");
  for (let i = 0; i < 20; i++) await api.post(path, { metadata: { name: `s${i}` }, data: { filler } });
  const watch = session.request({ ":path": `${path}?watch=1` });
  const [headers] = (await once(watch, "response")) as unknown as [http2.IncomingHttpHeaders];
  t.is(Number(headers[":status"]), 200);
  const answers = await Promise.all(Array.from({ length: 60 }, () => request2(session, { ":path": path })));
  t.is(new Set(answers.map(({ status }) => status)).size, 1);
  t.true(answers.every(({ text }) => (JSON.parse(text) as { items: unknown[] }).items.length === 20));
  watch.close();
});

test("a client that goes away is forgotten", async (t) => {
  const own = await Harness.start();
  t.teardown(() => own.close());
  const watching = async (): Promise<number> => Number(/apiserver_longrunning_requests\{verb="WATCH"\} (\d+)/.exec((await own.get("/metrics")).text)?.[1]);
  const before = await watching(), watch = own.watch("/apis/batch/v1/jobs?watch=1");
  await watch.status;
  t.is(await watching(), before + 1);
  watch.close();
  for (let i = 0; i < 100 && (await watching()) !== before; i++);
  t.is(await watching(), before);
});

test("new certificates are shown to new connections, and running ones go on", async (t) => {
  const own = await Harness.start();
  t.teardown(() => own.close());
  const shown = async (): Promise<string> => {
    const socket = tls.connect({ port: own.server.port, host: "127.0.0.1", rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const { resourceVersion } = (await own.get("/api/v1/configmaps")).body.metadata, watch = own.watch(`/api/v1/configmaps?watch=1&resourceVersion=${resourceVersion}`);
  await watch.status;
  const before = await shown(), ca = createAuthority({ commonName: "another", now: new Date() });
  const pair = issue(ca, { subject: { commonName: "kube-apiserver" }, usages: ["server"], names: ["127.0.0.1"], now: new Date() });
  own.server.setCertificates({ certificatePem: pair.certificatePem, keyPem: privateKeyPem(pair.key), clientCaPem: own.server.caPem });
  t.not(await shown(), before);
  t.is(await shown(), pair.certificate.fingerprint256);
  await own.server.writer.create(configmaps, { metadata: { name: "still-heard", namespace: "default" } });
  t.is((await watch.next()).object.metadata.name, "still-heard");
  watch.close();
});

test("a body nobody read does not become the next request", async (t) => {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const call = (authorization: string): Promise<number> => new Promise((resolve, reject) => {
    const request = https.request(`${api.server.url}/api/v1/namespaces/http/configmaps`, { method: "POST", agent, ca: api.server.caPem, headers: { authorization, "content-type": "application/json" } }, (response) => { response.resume(); response.on("end", () => resolve(response.statusCode!)); });
    request.on("error", reject);
    request.end(JSON.stringify(configMap("x", { smuggled: "GET /api/v1/secrets HTTP/1.1\r\n\r\n".repeat(2_000) })));
  });
  t.is(await call("Bearer bogus"), 401);
  t.is(await call("Bearer bogus"), 401);
});

test("a certificate of another authority is no identity", async (t) => {
  const ca = createAuthority({ commonName: "evil", now: new Date() });
  const pair = issue(ca, { subject: { commonName: "kubernetes-admin", organizations: ["system:masters"] }, usages: ["client"], now: new Date() });
  const answer = await api.call("GET", "/api/v1/nodes", { as: { certificatePem: pair.certificatePem, keyPem: privateKeyPem(pair.key) } });
  t.is(answer.status, 401);
});

test("an upgrade refused is answered on the bare connection", async (t) => {
  const socket = tls.connect({ port: api.server.port, host: "127.0.0.1", ca: api.server.caPem, ALPNProtocols: ["http/1.1"] });
  await once(socket, "secureConnect");
  socket.write("GET /api/v1/namespaces/http/pods/p/exec?command=sh HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  let text = "";
  for await (const part of socket) text += String(part);
  t.regex(text, /^HTTP\/1\.1 403 Forbidden\r\n/);
  t.regex(text, /"reason":"Forbidden"/);
});

test("a large request that comes over HTTP/1.1 while the answer to the last one still waits for its reader is taken whole", async (t) => {
  const ns = await api.namespace("http-unread"), path = `/api/v1/namespaces/${ns}/configmaps`, big = JSON.stringify(configMap("large", { k: "x".repeat(300_000) }));
  for (let i = 0; i < 12; i++) await api.post(path, configMap(`long-${i}`, { k: "y".repeat(900_000) })); // More than the kernel holds for a reader.
  const socket = tls.connect({ port: api.server.port, host: "127.0.0.1", ALPNProtocols: ["http/1.1"], servername: "localhost", ...credentials() });
  await once(socket, "secureConnect");
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
  let answers = ((await once(socket, "data")) as [Buffer])[0].toString();
  socket.pause();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${big.length}\r\nConnection: close\r\n\r\n${big}`);
  await api.get("/version"); // The server has met the second request, too.
  for await (const part of socket) answers += (part as Buffer).toString();
  t.deepEqual([...answers.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((match) => match[1]), ["200", "201"]);
});
