/** Streams through the whole server, to a kubelet's real TLS and SPDY: what clients see and what the kubelet is asked. */
import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import https from "node:https";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import { startEphemeralApiServer, type ClientIdentity, type EphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import { nodes, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import type { Node, Pod, ServiceAccount } from "../../../lib/api/schema/generated/models.ts";
import { streamHandlers } from "../../../lib/apiserver/streams/stream-handlers.ts";
import { SpdyConnection } from "../../../lib/streams/spdy/spdy-connection.ts";
import { connectSpdy, UpgradeRefusedError } from "../../../lib/streams/spdy/upgrade.ts";
import { startFakeKubelet, type FakeKubelet } from "./fake-kubelet.ts";

let server: EphemeralApiServer, kubelet: FakeKubelet;
const PODS = "/api/v1/namespaces/default/pods";

test.before(async () => {
  kubelet = await startFakeKubelet();
  server = await startEphemeralApiServer({ streamHandlers: ({ cache }) => streamHandlers({ cache }, { tls: () => kubelet.tls, preferredAddressTypes: ["InternalIP"] }) });
  await server.writer.create(serviceaccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: "default", name: "default" } } as ServiceAccount);
  await server.writer.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, spec: {}, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } } } as Node);
  for (const name of ["web", "waiting", "gone"]) await server.writer.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { namespace: "default", name }, spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }] } } as Pod);
  await server.writer.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { namespace: "default", name: "pending" }, spec: { containers: [{ name: "c", image: "i" }, { name: "d", image: "i" }] } } as Pod);
});
test.after.always(async () => { await server.close(); kubelet.close(); });

const tls = (identity: ClientIdentity = server.admin) => ({ ca: server.caPem, cert: identity.certificatePem, key: identity.keyPem });
function call(method: string, path: string, body?: string, identity?: ClientIdentity): Promise<{ status: number; headers: IncomingMessage["headers"]; text: string }> {
  return new Promise((resolve, reject) => {
    const request = https.request(`${server.url}${path}`, { method, ...tls(identity) }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => { text += part; }).on("end", () => resolve({ status: response.statusCode!, headers: response.headers, text }));
    });
    request.on("error", reject).end(body);
  });
}

interface Heard { channels: Map<number, string>; closed: Promise<number>; socket: WebSocket }
async function webSocket(protocol: string, path: string): Promise<Heard> {
  const socket = new WebSocket(`${server.url.replace("https", "wss")}${path}`, [protocol], tls()), channels = new Map<number, string>();
  socket.on("message", (data: Buffer) => {
    const base64 = protocol.includes("base64"), channel = base64 ? data[0]! - 0x30 : data[0]!;
    channels.set(channel, (channels.get(channel) ?? "") + (base64 ? Buffer.from(data.toString("latin1", 1), "base64").toString() : data.toString("utf8", 1)));
  });
  const closed = once(socket, "close").then(([code]) => code as number);
  await once(socket, "open");
  return { channels, closed, socket };
}

test("exec over WebSocket v5 carries stdin to its end, output, and the exit status, to the right kubelet path", async (t) => {
  const { channels, closed, socket } = await webSocket("v5.channel.k8s.io", `${PODS}/web/exec?command=sh&command=-c&stdin=true&stdout=true&stderr=true`);
  socket.send(Buffer.from([0, ...Buffer.from("hello")]));
  socket.send(Buffer.from([255, 0]));
  t.is(await closed, 1000);
  t.deepEqual([channels.get(1), channels.get(2)], ["HELLOran sh -c", "complaint"]);
  t.is((JSON.parse(channels.get(3)!) as { status: string }).status, "Success");
  const entry = kubelet.seen.find(({ url }) => url.startsWith("/exec/default/web/c?") && url.includes("input=1"))!;
  t.is(entry.url, "/exec/default/web/c?input=1&output=1&error=1&command=sh&command=-c");
  t.is(entry.client, "kube-apiserver-kubelet-client");
});

for (const protocol of ["v4.channel.k8s.io", "base64.channel.k8s.io"]) {
  test(`exec over WebSocket ${protocol} tells a failing command's exit`, async (t) => {
    const { channels, closed } = await webSocket(protocol, `${PODS}/web/exec?command=fail&stdout=true`);
    await closed;
    t.is(channels.get(1), "ran fail");
    if (protocol.startsWith("v4")) t.deepEqual((JSON.parse(channels.get(3)!) as { details: unknown }).details, { causes: [{ reason: "ExitCode", message: "3" }] });
    else t.is(channels.get(3), "command terminated with non-zero exit code: exit status 3");
  });
}

test("exec with a terminal carries its size, and ends the command's stdin when the client goes", async (t) => {
  const { socket } = await webSocket("v4.channel.k8s.io", `${PODS}/web/exec?command=tty&stdin=true&stdout=true&tty=true`);
  socket.send(Buffer.from([4, ...Buffer.from('{"Width":80,"Height":24}')]));
  const entry = () => kubelet.seen.find(({ url }) => url.includes("command=tty"));
  while ((entry()?.resizes.length ?? 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  t.deepEqual(entry()!.resizes, ['{"Width":80,"Height":24}']);
  socket.terminate();
  while (!entry()!.stdinEnded) await new Promise((resolve) => setTimeout(resolve, 5));
  t.pass();
});

test("exec over SPDY is the kubelet's own conversation, megabytes included", async (t) => {
  const url = new URL(`${server.url}${PODS}/web/exec?command=big&stdout=true`), { connection, protocol } = await connectSpdy({ url, tls: tls() }, ["v5.channel.k8s.io", "v4.channel.k8s.io"]);
  t.is(protocol, "v4.channel.k8s.io");
  const error = connection.open({ streamType: "error" }), stdout = connection.open({ streamType: "stdout" });
  const [out, status] = await Promise.all([stdout.toArray(), error.toArray()]);
  t.is(Buffer.concat(out as Buffer[]).length, 100 * 64 * 1024 + "ran big".length);
  t.is((JSON.parse(Buffer.concat(status as Buffer[]).toString()) as { status: string }).status, "Success");
  await connection.closed;
});

test("exec that cannot be had says why: to SPDY as an answer, to WebSocket on the error channel", async (t) => {
  const refused = (path: string, identity?: ClientIdentity) => t.throwsAsync(() => connectSpdy({ url: new URL(`${server.url}${path}`), tls: tls(identity) }, ["v4.channel.k8s.io"]), { instanceOf: UpgradeRefusedError });
  t.like(await refused(`${PODS}/gone/exec?command=x&stdout=true`), { status: 404, body: 'container not found ("c")' });
  t.regex((await refused(`${PODS}/pending/exec?command=x&container=c`))!.body, /pod pending does not have a host assigned/);
  t.regex((await refused(`${PODS}/nobody/exec?command=x`))!.body, /pods \\"nobody\\" not found/);
  t.like(await refused(`${PODS}/web/exec?command=x`, server.identity("joe")), { status: 403 });
  const { channels, closed } = await webSocket("v5.channel.k8s.io", `${PODS}/gone/exec?command=x&stdout=true`);
  await closed;
  t.is((JSON.parse(channels.get(3)!) as { message: string }).message, 'Internal error occurred: unable to upgrade connection: container not found ("c")');
  t.regex((await call("POST", `${PODS}/web/exec?command=x&stdout=true`)).text, /Upgrade request required/);
});

async function forward(t: ExecutionContext, connection: SpdyConnection): Promise<void> {
  const error = connection.open({ streamType: "error", port: "80", requestID: "0" }), data = connection.open({ streamType: "data", port: "80", requestID: "0" });
  error.end();
  data.end("ping");
  t.is(Buffer.concat(await data.toArray() as Buffer[]).toString(), "ping");
  connection.close();
}

test("portforward runs over SPDY, and over SPDY inside a WebSocket", async (t) => {
  const path = `${PODS}/web/portforward`;
  const plain = await connectSpdy({ url: new URL(`${server.url}${path}`), tls: tls() }, ["portforward.k8s.io"]);
  await forward(t, plain.connection);
  // The sub-protocol has a slash, which `ws` refuses to ask for: the handshake is written by hand.
  const request = https.request(`${server.url}${path}`, { ...tls(), headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": Buffer.alloc(16, 1).toString("base64"), "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io" } });
  request.end();
  const [response, socket] = (await once(request, "upgrade")) as [IncomingMessage, Duplex];
  t.is(response.headers["sec-websocket-protocol"], "SPDY/3.1+portforward.k8s.io");
  const { PassThrough, duplexPair } = await import("node:stream"), { Sender, Receiver } = await import("ws") as unknown as { Sender: new (socket: Duplex) => { send(data: Buffer, options: object): void }; Receiver: new (options: object) => NodeJS.WritableStream };
  const [near, far] = duplexPair(), sender = new Sender(socket), receiver = new Receiver({ isServer: false, binaryType: "nodebuffer" });
  far.on("data", (part: Buffer) => sender.send(part, { binary: true, mask: true, fin: true, compress: false }));
  socket.pipe(receiver as unknown as InstanceType<typeof PassThrough>);
  receiver.on("message", (data: Buffer) => far.write(data));
  await forward(t, new SpdyConnection(near, { role: "client" }));
  socket.destroy();
});

test("logs come as they are written, and refusals in the kubelet's words", async (t) => {
  const { status, headers, text } = await call("GET", `${PODS}/web/log?follow=true&tailLines=5`);
  t.deepEqual([status, headers["content-type"], text], [200, "text/plain", "first\nsecond\n"]);
  t.true(kubelet.seen.some(({ url }) => url === "/containerLogs/default/web/c?follow=true&tailLines=5"));
  const parts: string[] = [];
  await new Promise<void>((resolve) => { https.get(`${server.url}${PODS}/web/log`, tls(), (response) => response.setEncoding("utf8").on("data", (part: string) => parts.push(part)).on("end", resolve)); });
  t.deepEqual(parts, ["first\n", "second\n"]); // The first did not wait for the second.
  const waiting = await call("GET", `${PODS}/waiting/log`);
  t.deepEqual([waiting.status, (JSON.parse(waiting.text) as { message: string }).message], [400, 'container "c" in pod "waiting" is waiting to start: ContainerCreating']);
  t.regex((await call("GET", `${PODS}/pending/log`)).text, /a container name must be specified for pod pending, choose one of: \[c d\]/);
  t.deepEqual(await call("GET", `${PODS}/pending/log?container=c`).then((answer) => [answer.status, answer.text]), [200, ""]);
});

test("nodes/proxy reaches the kubelet with any method and keeps its answer", async (t) => {
  const got = await call("GET", "/api/v1/nodes/n1/proxy/stats/summary?x=1");
  t.deepEqual([got.status, got.text], [200, "proxied /stats/summary?x=1"]);
  const posted = await call("POST", "/api/v1/nodes/n1/proxy/run", "body");
  t.deepEqual([posted.text, posted.headers["x-seen-method"]], ["body", "POST"]);
  t.deepEqual(await call("GET", "/api/v1/nodes/n1/proxy").then((answer) => [answer.status, answer.headers.location]), [301, "/api/v1/nodes/n1/proxy/"]);
  t.is((await call("GET", "/api/v1/namespaces/default/pods/web/proxy/")).status, 400); // No address yet.
});
