/** Upgrades nobody finishes, bytes that are no frames, clients that go in the middle: each connection ends, towards the client and towards the kubelet, and the server goes on. */
import { once } from "node:events";
import tls from "node:tls";
import { setTimeout as delay } from "node:timers/promises";
import test from "ava";
import fc from "fast-check";
import { startEphemeralApiServer, type EphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import { nodes, pods, serviceaccounts } from "../../../lib/api/schema/generated/references.ts";
import type { Node, Pod, ServiceAccount } from "../../../lib/api/schema/generated/models.ts";
import { streamHandlers } from "../../../lib/apiserver/streams/stream-handlers.ts";
import { startFakeKubelet, type FakeKubelet } from "./fake-kubelet.ts";

let server: EphemeralApiServer, kubelet: FakeKubelet;
test.before(async () => {
  kubelet = await startFakeKubelet();
  server = await startEphemeralApiServer({ streamHandlers: ({ cache }) => streamHandlers({ cache }, { tls: () => kubelet.tls, preferredAddressTypes: ["InternalIP"] }) });
  await server.writer.create(serviceaccounts, { apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: "default", name: "default" } } as ServiceAccount);
  await server.writer.create(nodes, { apiVersion: "v1", kind: "Node", metadata: { name: "n1" }, spec: {}, status: { addresses: [{ type: "InternalIP", address: "127.0.0.1" }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } } } as Node);
  await server.writer.create(pods, { apiVersion: "v1", kind: "Pod", metadata: { namespace: "default", name: "web" }, spec: { nodeName: "n1", containers: [{ name: "c", image: "i" }] } } as Pod);
});
test.after.always(async () => { await server.close(); kubelet.close(); });

const EXEC = "/api/v1/namespaces/default/pods/web/exec?command=sh&stdin=true&stdout=true", FORWARD = "/api/v1/namespaces/default/pods/web/portforward?ports=80";
const SPDY = { upgrade: "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io" };
const WEBSOCKET = { upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": Buffer.alloc(16, 7).toString("base64"), "sec-websocket-protocol": "v5.channel.k8s.io" };

async function connect(): Promise<tls.TLSSocket> {
  const socket = tls.connect({ port: server.port, host: "127.0.0.1", ca: server.caPem, cert: server.admin.certificatePem, key: server.admin.keyPem, ALPNProtocols: ["http/1.1"] });
  socket.on("error", () => { /* A reset is an end too. */ });
  await once(socket, "secureConnect");
  return socket;
}
const head = (method: string, path: string, headers: Record<string, string>): string =>
  `${method} ${path} HTTP/1.1\r\n${Object.entries({ host: "x", connection: "Upgrade", ...headers }).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`;

/** Sends the request, waits for the answer's first line, sends `after`, half-closes; resolves with the first line when the server has ended its side. */
async function talk(method: string, path: string, headers: Record<string, string>, after: Uint8Array, early = false): Promise<string> {
  const socket = await connect();
  let heard = "";
  const ended = Promise.race([once(socket, "end"), once(socket, "close")]);
  const answered = new Promise<void>((resolve) => { socket.on("data", (part: Buffer) => { heard += part.toString("latin1"); if (heard.includes("\r\n")) resolve(); }); });
  socket.write(head(method, path, headers));
  if (!early) await Promise.race([answered, ended]);
  if (after.length > 0) socket.write(after);
  socket.end();
  const abort = new AbortController(), late = delay(20_000, undefined, { signal: abort.signal }).then(() => { throw new Error(`${method} ${path} was left open; heard ${JSON.stringify(heard.slice(0, 200))}`); });
  late.catch(() => {});
  try { await Promise.race([ended, late]); } finally { abort.abort(); socket.destroy(); }
  return heard.split("\r\n")[0]!;
}

/** Connections to the kubelet go when their clients are gone. */
async function nothingLeft(): Promise<void> {
  for (let i = 0; await kubelet.connections() > 0; i++) {
    if (i > 500) throw new Error(`${await kubelet.connections()} connections to the kubelet are left`);
    await delay(20);
  }
}
/** 101 and nothing after it, whatever was sent, or a refusal. */
const isAnswer = (line: string): boolean => line === "" || /^HTTP\/1\.1 (101|400|403|404|500) /.test(line);

for (const [protocol, headers] of [["SPDY", SPDY], ["WebSocket", WEBSOCKET]] as const) {
  test.serial(`${protocol}: bytes that are no frames end the stream`, async (t) => {
    const frame = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      // A control frame of SPDY with any type, flags and length; a frame of WebSocket with any opcode and length, masked or not.
      fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 0xff_ff_ff })).map(([type, flags, length]) => Buffer.from([0x80, 3, 0, type, flags, length >> 16, (length >> 8) & 255, length & 255])),
      fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 14 })).map(([first, second, rest]) => Buffer.from([first, second, ...rest])),
    );
    await fc.assert(fc.asyncProperty(fc.array(frame, { maxLength: 4 }), fc.constantFrom(EXEC, FORWARD), fc.boolean(), async (frames, path, early) => {
      const line = await talk("GET", path, headers, Buffer.concat(frames), early);
      if (!isAnswer(line)) throw new Error(`answered ${line}`);
    }) as fc.IAsyncProperty<unknown>, { numRuns: 40, includeErrorInReport: true });
    await nothingLeft();
    t.regex(await talk("GET", EXEC, headers, Buffer.alloc(0)), /^HTTP\/1\.1 101 /);
    await nothingLeft();
  });
}

test.serial("a client that goes before, at and after the answer leaves nothing behind", async (t) => {
  for (const headers of [SPDY, WEBSOCKET]) {
    for (const path of [EXEC, FORWARD]) {
      const gone = await connect();
      gone.write(head("POST", path, headers));
      gone.destroy();
      const cut = await connect();
      cut.write(head("GET", path, headers).slice(0, -2));
      cut.destroy();
      const answered = await connect();
      answered.write(head("GET", path, headers));
      await once(answered, "data");
      answered.destroy();
    }
  }
  await nothingLeft();
  t.pass();
});

test.serial("the kubelet is held to its own name, whatever name the client has for the server", async (t) => {
  t.regex(await talk("GET", "/api/v1/nodes/n1/proxy/pods", { host: "api.example.com", connection: "close" }, Buffer.alloc(0)), /^HTTP\/1\.1 200 /);
  t.regex(await talk("GET", EXEC, { ...SPDY, host: "api.example.com" }, Buffer.alloc(0)), /^HTTP\/1\.1 101 /);
  await nothingLeft();
});

test.serial("an upgrade with headers that cannot be is refused with a status of its own", async (t) => {
  const without = (name: string): Record<string, string> => Object.fromEntries(Object.entries(WEBSOCKET).filter(([key]) => key !== name));
  for (const headers of [
    { ...WEBSOCKET, "sec-websocket-version": "7" }, { ...WEBSOCKET, "sec-websocket-key": "short" }, without("sec-websocket-key"), { ...WEBSOCKET, "sec-websocket-protocol": "v9.bogus" },
    { ...SPDY, "x-stream-protocol-version": "v9.bogus" }, { upgrade: "" }, {},
  ]) {
    const line = await talk("GET", EXEC, headers as Record<string, string>, Buffer.alloc(0));
    t.regex(line, /^HTTP\/1\.1 [45]\d\d /, JSON.stringify(headers));
  }
  await nothingLeft();
});
