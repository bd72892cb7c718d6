import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { duplexPair, PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { WebSocket } from "ws";
import { acceptWebSocket, asksWebSocket } from "../../../../lib/streams/websocket/accept.ts";
import { ChannelSocket, decodeChannelMessage, encodeChannelMessage } from "../../../../lib/streams/websocket/channel-socket.ts";
import { joinStreams, tunnelStream } from "../../../../lib/streams/websocket/tunnel.ts";

async function connect(t: ExecutionContext, protocol: string): Promise<{ client: WebSocket; server: WebSocket }> {
  const http = createServer();
  const accepted = new Promise<WebSocket>((resolve, reject) => {
    http.on("upgrade", (request, socket, head) => {
      t.true(asksWebSocket(request.headers));
      acceptWebSocket(request.headers, socket, head, protocol).then(resolve, reject);
    });
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.teardown(() => http.close());
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`, [protocol]);
  await once(client, "open");
  t.is(client.protocol, protocol);
  return { client, server: await accepted };
}

test("encodeChannelMessage() and decodeChannelMessage() know binary and base64", (t) => {
  t.deepEqual(encodeChannelMessage("v4.channel.k8s.io", 1, Buffer.from("hi")), Buffer.from([1, 0x68, 0x69]));
  t.is(encodeChannelMessage("base64.channel.k8s.io", 1, Buffer.from("hi")), "1aGk=");
  t.deepEqual(decodeChannelMessage("base64.channel.k8s.io", Buffer.from("0aGk=")), { channel: 0, data: Buffer.from("hi") });
  t.is(decodeChannelMessage("base64.channel.k8s.io", Buffer.from("xaGk=")), undefined);
  t.is(decodeChannelMessage("v4.channel.k8s.io", Buffer.alloc(0)), undefined);
});

test("ChannelSocket carries channels both ways and ends one when a v5 client closes it", async (t) => {
  const { client, server } = await connect(t, "v5.channel.k8s.io"), channels = new ChannelSocket(server, "v5.channel.k8s.io", [0, 1]);
  const answered = once(client, "message");
  client.send(Buffer.from([0, ...Buffer.from("in")]));
  client.send(Buffer.from([7, 1, 2])); // Nobody asked for channel 7.
  client.send(Buffer.from([255, 0]));
  t.is(Buffer.concat(await channels.channel(0).toArray() as Buffer[]).toString(), "in");
  channels.channel(1).write("out");
  t.deepEqual((await answered)[0], Buffer.from([1, ...Buffer.from("out")]));
  const closed = once(client, "close");
  channels.close();
  t.is((await closed)[0], 1000);
  await channels.closed;
});

test("ChannelSocket speaks base64 and ends every channel when the socket goes", async (t) => {
  const { client, server } = await connect(t, "base64.channel.k8s.io"), channels = new ChannelSocket(server, "base64.channel.k8s.io", [0]);
  client.send("0aGk=");
  t.deepEqual((await once(channels.channel(0), "data"))[0], Buffer.from("hi"));
  client.terminate();
  await channels.closed;
  await turn();
  t.true(channels.channel(0).readableEnded);
});

test("ChannelSocket stops the socket for a reader that stays behind", async (t) => {
  const { client, server } = await connect(t, "v4.channel.k8s.io"), channels = new ChannelSocket(server, "v4.channel.k8s.io", [0]);
  const message = Buffer.alloc(64 * 1024 + 1), total = 200;
  for (let i = 0; i < total; i++) client.send(message);
  for (let i = 0; i < 300; i++) await turn();
  t.true(client.bufferedAmount > 0);
  t.true(channels.channel(0).readableLength < 4 * 1024 * 1024);
  let received = 0;
  channels.channel(0).on("data", (part: Buffer) => { received += part.length; });
  while (received < total * 64 * 1024) await once(channels.channel(0), "data");
  t.is(received, total * 64 * 1024);
  client.terminate();
});

test("tunnelStream() and joinStreams() pass bytes both ways and close together", async (t) => {
  const { client, server } = await connect(t, "tunnel.example"), inner = new PassThrough(), done = joinStreams(tunnelStream(server), inner);
  const answered = once(client, "message");
  client.send(Buffer.from("bytes"));
  t.is(((await answered)[0] as Buffer).toString(), "bytes");
  client.close();
  await done;
  t.true(inner.destroyed);
});

for (const [ending, end] of [["closes", (backend: PassThrough) => backend.end()], ["breaks", (backend: PassThrough) => backend.destroy(new Error("reset"))]] as const) {
  test(`joinStreams() gives a slow client the last words of a backend that ${ending}, and resolves when the client closes too`, async (t) => {
    const [client, user] = duplexPair({ allowHalfOpen: false }), [backend, runtime] = duplexPair(), words = Buffer.alloc(200_000, 7);
    const done = joinStreams(client, backend);
    runtime.resume();
    runtime.write(words.subarray(0, 100_000)); // More than the client has room for: some waits in the backend's buffer.
    for (let i = 0; i < 10; i++) await turn();
    user.write("typed too late");
    if (ending === "closes") runtime.end(words.subarray(100_000));
    else { backend.push(words.subarray(100_000)); end(backend as unknown as PassThrough); }
    for (let i = 0; i < 10; i++) await turn();
    const heard = Buffer.concat(await user.toArray() as Buffer[]);
    t.true(heard.equals(words), `${heard.length} of ${words.length} bytes`);
    await done;
  });
}

test("joinStreams() cuts a backend that goes on talking when its client has gone, after the client's own last words", async (t) => {
  const [client, user] = duplexPair(), [backend, runtime] = duplexPair(), heard: Buffer[] = [];
  runtime.on("data", (part: Buffer) => heard.push(part));
  const done = joinStreams(client, backend);
  user.write("last words");
  for (let i = 0; i < 10; i++) await turn();
  client.destroy(new Error("reset"));
  await done;
  t.true(backend.destroyed);
  t.is(Buffer.concat(heard).toString(), "last words");
});

test("acceptWebSocket() agrees to protocols with a slash, and refuses a broken handshake", async (t) => {
  const http = createServer();
  http.on("upgrade", (request, socket, head) => { acceptWebSocket(request.headers, socket, head, "SPDY/3.1+portforward.k8s.io").then((accepted) => accepted.terminate(), () => {}); });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.teardown(() => http.close());
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-protocol": "SPDY/3.1+portforward.k8s.io" };
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`;
  const [response, socket] = (await once(get(url, { headers: { ...headers, "sec-websocket-key": Buffer.alloc(16).toString("base64") } }), "upgrade")) as [import("node:http").IncomingMessage, import("node:net").Socket];
  socket.on("error", () => {});
  t.is(response.headers["sec-websocket-protocol"], "SPDY/3.1+portforward.k8s.io");
  socket.destroy();
  const [refused] = (await once(get(url, { headers: { ...headers, "sec-websocket-key": "short" } }), "response")) as [import("node:http").IncomingMessage];
  t.is(refused.statusCode, 400);
  refused.destroy();
});
