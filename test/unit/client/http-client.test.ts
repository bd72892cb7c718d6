import test from "ava";
import http2 from "node:http2";
import net from "node:net";
import type { AddressInfo } from "node:net";
import { createClient } from "../../../lib/client/http-client.ts";
import { ConnectionError, type Client } from "../../../lib/client/client.ts";
import { StatusError, hasReason } from "../../../lib/api/status-error.ts";
import { pods } from "../../../lib/api/schema/generated/references.ts";
import { ManualClock } from "../../../lib/util/clock.ts";

interface Seen { method: string; path: string; headers: http2.IncomingHttpHeaders; body: string }
type Handler = (stream: http2.ServerHttp2Stream, seen: Seen) => void;
interface Rig { client: Client; clock: ManualClock; server: http2.Http2Server; seen: Seen[]; sessions: http2.Http2Session[]; port: number }

function json(stream: http2.ServerHttp2Stream, status: number, body: unknown, headers: Record<string, string> = {}): void {
  stream.respond({ ":status": status, "content-type": "application/json", ...headers });
  stream.end(JSON.stringify(body));
}

async function rig(t: { teardown(f: () => void): void }, handler: Handler, options: { throughPort?: (port: number) => Promise<number> } = {}): Promise<Rig> {
  const seen: Seen[] = [], sessions: http2.Http2Session[] = [];
  const server = http2.createServer();
  server.on("session", (session) => sessions.push(session));
  server.on("stream", (rawStream, headers) => {
    const stream = rawStream as http2.ServerHttp2Stream;
    const chunks: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const one = { method: headers[":method"]!, path: headers[":path"]!, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      handler(stream, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as AddressInfo).port;
  const clock = new ManualClock();
  const client = createClient({ server: `http://127.0.0.1:${await (options.throughPort?.(port) ?? Promise.resolve(port))}`, component: "kube-test", token: "secret" }, { clock });
  t.teardown(() => { client.close(); for (const s of sessions) s.destroy(); server.close(); });
  return { client, clock, server, seen, sessions, port };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

test("Client.get() asks for the object's path with token and User-Agent, and returns the object", async (t) => {
  const { client, seen } = await rig(t, (stream) => json(stream, 200, { kind: "Pod", metadata: { name: "web" } }));
  const pod = await client.get(pods, { namespace: "default", name: "web" });
  t.is(pod.metadata.name, "web");
  t.is(seen[0]!.path, "/api/v1/namespaces/default/pods/web");
  t.is(seen[0]!.headers["authorization"], "Bearer secret");
  t.regex(String(seen[0]!.headers["user-agent"]), /^kube-test\/v1\.36\.0 \(linux\//);
});

test("Client.get() throws a StatusError with the body's reason", async (t) => {
  const { client } = await rig(t, (stream) => json(stream, 404, { kind: "Status", status: "Failure", reason: "NotFound", message: 'pods "web" not found', code: 404 }));
  const error = await t.throwsAsync(client.get(pods, { namespace: "default", name: "web" }), { instanceOf: StatusError, message: 'pods "web" not found' });
  t.true(hasReason(error, "NotFound"));
});

test("Client.get() makes a StatusError of an answer that is no Status", async (t) => {
  const { client } = await rig(t, (stream) => { stream.respond({ ":status": 502 }); stream.end("<h1>Bad gateway</h1>"); });
  const error = await t.throwsAsync(client.get(pods, { namespace: "default", name: "web" }), { instanceOf: StatusError });
  t.is(error.code, 502);
  t.regex(error.message, /Bad gateway/);
});

test("Client.get() refuses an empty name before it can address the collection", async (t) => {
  const { client, seen } = await rig(t, (stream) => json(stream, 200, {}));
  await t.throwsAsync(client.get(pods, { namespace: "default", name: "" }), { instanceOf: RangeError });
  t.is(seen.length, 0);
});

test("Client.list() fills in kind and apiVersion of the items", async (t) => {
  const { client } = await rig(t, (stream) => json(stream, 200, { kind: "PodList", apiVersion: "v1", metadata: { resourceVersion: "7" }, items: [{ metadata: { name: "a" } }] }));
  const list = await client.list(pods);
  t.like(list.items[0], { kind: "Pod", apiVersion: "v1" });
});

test("Client.create() sends kind and apiVersion even when the object has none", async (t) => {
  const { client, seen } = await rig(t, (stream) => json(stream, 201, { metadata: { name: "a" } }));
  await client.create(pods, { metadata: { name: "a", namespace: "x" }, spec: { containers: [] } });
  t.like(JSON.parse(seen[0]!.body), { kind: "Pod", apiVersion: "v1" });
  t.is(seen[0]!.method + seen[0]!.path, "POST/api/v1/namespaces/x/pods");
});

test("Client waits Retry-After of a 429 and then tries again", async (t) => {
  let answers = 0;
  const { client, clock, seen } = await rig(t, (stream) => (answers++ === 0 ? json(stream, 429, { kind: "Status", reason: "TooManyRequests" }, { "retry-after": "2" }) : json(stream, 200, { metadata: { name: "web" } })));
  const got = client.get(pods, { namespace: "default", name: "web" });
  while (seen.length === 0) await settle();
  await settle();
  await clock.advance(1_900);
  t.is(seen.length, 1);
  await clock.advance(200);
  t.is((await got).metadata.name, "web");
});

test("Client gives up on a 429 whose Retry-After is beyond the bound", async (t) => {
  const { client } = await rig(t, (stream) => json(stream, 429, { kind: "Status", reason: "TooManyRequests", message: "busy" }, { "retry-after": "3600" }));
  await t.throwsAsync(client.get(pods, { namespace: "default", name: "web" }), { instanceOf: StatusError, message: "busy" });
});

test("Client.watch() joins events split inside a UTF-8 character and ends when the server ends", async (t) => {
  const bytes = Buffer.from(`${JSON.stringify({ type: "ADDED", object: { metadata: { name: "舵" } } })}\n${JSON.stringify({ type: "BOOKMARK", object: { metadata: { name: "" } } })}\n`);
  const at = bytes.indexOf(Buffer.from("舵")) + 1;
  const { client } = await rig(t, (stream) => {
    stream.respond({ ":status": 200 });
    stream.write(bytes.subarray(0, at), () => setTimeout(() => stream.end(bytes.subarray(at)), 20));
  });
  const names: string[] = [];
  for await (const event of client.watch(pods, { resourceVersion: "1" }, new AbortController().signal)) names.push(event.type + event.object.metadata.name);
  t.deepEqual(names, ["ADDED舵", "BOOKMARK"]);
});

test("Client.watch() throws the StatusError of an ERROR event and of a refused watch", async (t) => {
  const expired = { kind: "Status", reason: "Expired", message: "too old resource version", code: 410 };
  const { client } = await rig(t, (stream, { path }) => {
    if (path.includes("resourceVersion=1")) { stream.respond({ ":status": 200 }); stream.end(`${JSON.stringify({ type: "ERROR", object: expired })}\n`); }
    else json(stream, 410, expired);
  });
  for (const resourceVersion of ["1", "2"]) {
    const error = await t.throwsAsync(async () => { for await (const _ of client.watch(pods, { resourceVersion }, new AbortController().signal)) t.fail(); });
    t.true(hasReason(error, "Expired"));
  }
});

test("Client.watch() throws ConnectionError when the server vanishes, and the next request connects anew", async (t) => {
  const { client, sessions } = await rig(t, (stream, { path }) => {
    if (path.includes("watch")) { stream.respond({ ":status": 200 }); stream.write(`${JSON.stringify({ type: "ADDED", object: { metadata: { name: "a" } } })}\n`); }
    else json(stream, 200, { metadata: { name: "web" } });
  });
  await t.throwsAsync(async () => {
    for await (const _ of client.watch(pods, {}, new AbortController().signal)) for (const s of sessions) s.socket.destroy();
  }, { instanceOf: ConnectionError });
  t.is((await client.get(pods, { namespace: "a", name: "web" })).metadata.name, "web");
  t.is(sessions.length, 2);
});

test("Client.watch() throws the signal's reason after an abort and closes the stream", async (t) => {
  let closed: () => void;
  const gone = new Promise<void>((resolve) => { closed = resolve; });
  const { client } = await rig(t, (stream) => { stream.on("close", () => closed()); stream.respond({ ":status": 200 }); stream.write(`${JSON.stringify({ type: "ADDED", object: { metadata: { name: "a" } } })}\n`); });
  const controller = new AbortController();
  await t.throwsAsync(async () => { for await (const _ of client.watch(pods, {}, controller.signal)) controller.abort(); }, { name: "AbortError" });
  await gone;
  t.pass();
});

test("Client notices a peer that went silent, by ping, within 9 seconds", async (t) => {
  const cut = { now: false };
  const { client, clock } = await rig(t, (stream) => { stream.respond({ ":status": 200 }); stream.write(`${JSON.stringify({ type: "ADDED", object: { metadata: { name: "a" } } })}\n`); }, {
    throughPort: (port) => new Promise((resolve) => {
      const relay = net.createServer((inbound) => { // A host that is powered off takes bytes to nowhere and sends nothing, not even a reset.
        const outbound = net.connect(port, "127.0.0.1");
        inbound.on("data", (d) => { if (!cut.now) outbound.write(d); });
        outbound.on("data", (d) => { if (!cut.now) inbound.write(d); });
        for (const s of [inbound, outbound]) s.on("error", () => {});
        t.teardown(() => { inbound.destroy(); outbound.destroy(); });
      });
      t.teardown(() => void relay.close());
      relay.listen(0, "127.0.0.1", () => resolve((relay.address() as AddressInfo).port));
    }),
  });
  let failed: unknown;
  const watching = (async () => { for await (const _ of client.watch(pods, {}, new AbortController().signal)) cut.now = true; })().catch((error: unknown) => { failed = error; });
  while (!cut.now) await settle();
  await clock.advance(4_000); // Bytes came since the stream was opened: alive.
  t.is(failed, undefined);
  for (let i = 0; i < 5; i++) { await clock.advance(1_000); await settle(); }
  await clock.advance(4_001);
  await watching;
  t.true(failed instanceof ConnectionError);
  t.regex((failed as Error).message, /ping/);
});

test("Client.get() throws ConnectionError when nothing listens", async (t) => {
  const { client, server, sessions } = await rig(t, (stream) => json(stream, 200, {}));
  for (const s of sessions) s.destroy();
  await new Promise<void>((resolve) => { server.close(() => resolve()); });
  await t.throwsAsync(client.get(pods, { namespace: "a", name: "b" }), { instanceOf: ConnectionError, message: /ECONNREFUSED/ });
});

test("Client sends a request again on a new connection when the server refused its stream", async (t) => {
  let refused = false;
  const { client } = await rig(t, (stream) => {
    if (refused) { json(stream, 200, { metadata: { name: "web" } }); return; }
    refused = true;
    stream.close(http2.constants.NGHTTP2_REFUSED_STREAM);
  });
  t.is((await client.get(pods, { namespace: "a", name: "web" })).metadata.name, "web");
});

test("Client sends a request again when the server said GOAWAY", async (t) => {
  const { client, sessions } = await rig(t, (stream) => json(stream, 200, { metadata: { name: "web" } }));
  await client.get(pods, { namespace: "a", name: "web" });
  sessions[0]!.goaway(0);
  await settle();
  await client.get(pods, { namespace: "a", name: "web" });
  t.is(sessions.length, 2);
});
