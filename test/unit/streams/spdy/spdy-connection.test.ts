import test from "ava";
import { once } from "node:events";
import { duplexPair, type Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { constants, createDeflate, inflateSync } from "node:zlib";
import { encodeFrame, FrameReader, RST, SpdyError, type SpdyFrame } from "../../../../lib/streams/spdy/frames.ts";
import { decodeHeaders, encodeHeaders, HeaderReader, HeaderWriter } from "../../../../lib/streams/spdy/header-block.ts";
import { SPDY_DICTIONARY } from "../../../../lib/streams/spdy/header-dictionary.ts";
import { SpdyConnection } from "../../../../lib/streams/spdy/spdy-connection.ts";
import type { SpdyStream } from "../../../../lib/streams/spdy/spdy-stream.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const none = Buffer.alloc(0);

test("encodeFrame() writes the bytes of the protocol's tables", (t) => {
  const golden: [Exclude<SpdyFrame, { type: "unknown" }>, string][] = [
    [{ type: "syn-stream", streamId: 1, priority: 0, fin: false, unidirectional: false, headerBlock: hex("aabb") }, "80030001 0000000c 00000001 00000000 0000 aabb"],
    [{ type: "syn-reply", streamId: 1, fin: true, headerBlock: hex("cc") }, "80030002 01000005 00000001 cc"],
    [{ type: "rst-stream", streamId: 3, status: RST.cancel }, "80030003 00000008 00000003 00000005"],
    [{ type: "settings", values: [{ id: 7, value: 65_536 }] }, "80030004 0000000c 00000001 00000007 00010000"],
    [{ type: "ping", id: 2 }, "80030006 00000004 00000002"],
    [{ type: "goaway", lastStreamId: 5, status: 0 }, "80030007 00000008 00000005 00000000"],
    [{ type: "window-update", streamId: 1, delta: 32_768 }, "80030009 00000008 00000001 00008000"],
    [{ type: "data", streamId: 1, fin: true, data: none }, "00000001 01000000"],
  ];
  for (const [frame, bytes] of golden) {
    t.is(encodeFrame(frame).toString("hex"), hex(bytes).toString("hex"), frame.type);
    const reader = new FrameReader();
    reader.push(hex(bytes));
    t.deepEqual(reader.next(), frame);
  }
});

test("FrameReader puts frames together from any cuts and refuses other versions", (t) => {
  const bytes = Buffer.concat([encodeFrame({ type: "ping", id: 1 }), encodeFrame({ type: "data", streamId: 1, fin: false, data: Buffer.from("hello") }), Buffer.from("hello"), encodeFrame({ type: "ping", id: 3 })]);
  for (let size = 1; size <= bytes.length; size++) {
    const reader = new FrameReader(), seen: string[] = [];
    for (let i = 0; i < bytes.length; i += size) {
      reader.push(bytes.subarray(i, i + size));
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) seen.push(frame.type === "data" ? frame.data.toString() : frame.type);
    }
    t.deepEqual(seen, ["ping", "hello", "ping"]);
  }
  const reader = new FrameReader();
  reader.push(hex("80020001 00000000"));
  t.throws(() => reader.next(), { instanceOf: SpdyError, message: /version 2/ });
});

test("HeaderReader reads what zlib compressed with the dictionary, block after block", async (t) => {
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH }), reader = new HeaderReader();
  for (const headers of [{ streamtype: "error", requestid: "0" }, { streamtype: "data", requestid: "0", port: "8080" }]) {
    deflate.write(encodeHeaders(headers));
    await new Promise<void>((resolve) => { deflate.flush(constants.Z_SYNC_FLUSH, () => resolve()); });
    t.deepEqual(await reader.read(deflate.read() as Buffer), headers);
  }
  reader.close();
});

test("HeaderWriter writes one zlib stream that others can read, the dictionary's checksum included", (t) => {
  const writer = new HeaderWriter(), first = writer.write({ streamType: "stdin" }), second = writer.write({ a: "b" });
  t.is(first.subarray(0, 6).toString("hex"), "78bbe3c6a7c2");
  t.is(first.subarray(-5).toString("hex"), "000000ffff"); // What makes Go's reader hand out the block.
  const plain = inflateSync(Buffer.concat([first, second]), { dictionary: SPDY_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH });
  t.deepEqual([decodeHeaders(plain), decodeHeaders(plain.subarray(encodeHeaders({ streamType: "stdin" }).length))], [{ streamtype: "stdin" }, { a: "b" }]);
});

test("HeaderReader refuses garbage and blocks that grow without end", async (t) => {
  await t.throwsAsync(() => new HeaderReader().read(Buffer.from("not zlib at all")), { instanceOf: SpdyError });
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
  deflate.end(Buffer.alloc(8_000_000));
  const bomb = Buffer.concat(await deflate.toArray() as Buffer[]);
  await t.throwsAsync(() => new HeaderReader().read(bomb), { instanceOf: SpdyError, message: /more than 65536 bytes/ });
});

function pair(onStream: (stream: SpdyStream) => void): { client: SpdyConnection; server: SpdyConnection; ends: Duplex[] } {
  const [a, b] = duplexPair();
  return { client: new SpdyConnection(a, { role: "client" }), server: new SpdyConnection(b, { role: "server", onStream }), ends: [a, b] };
}

test("SpdyConnection carries streams both ways, with headers, half-close and replies", async (t) => {
  const { client, server } = pair((stream) => {
    stream.reply();
    t.is(stream.headers.streamtype, "echo");
    stream.pipe(stream);
  });
  const stream = client.open({ streamType: "echo" });
  await stream.replied;
  stream.end("hello");
  t.is(Buffer.concat(await stream.toArray() as Buffer[]).toString(), "hello");
  await turn();
  t.deepEqual([client.streamCount, server.streamCount], [0, 0]);
  await Promise.all([client.ping(), server.ping()]);
  client.close();
  await Promise.all([client.closed, server.closed]);
  t.is(server.failure, undefined);
});

test("SpdyConnection moves megabytes on several streams without mixing them", async (t) => {
  const { client } = pair((stream) => { stream.reply(); stream.pipe(stream); });
  const sizes = [1, 70_000, 3_000_000];
  await Promise.all(sizes.map(async (size, i) => {
    const stream = client.open({ n: String(i) }), sent = Buffer.alloc(size, i + 1);
    stream.end(sent);
    t.true(Buffer.concat(await stream.toArray() as Buffer[]).equals(sent), String(size));
  }));
});

test("SpdyConnection stops reading for a reader that stays behind, and goes on when it catches up", async (t) => {
  let slow: SpdyStream | undefined;
  const { client } = pair((stream) => { stream.reply(); slow = stream; });
  const stream = client.open({});
  let sent = 0;
  const chunk = Buffer.alloc(64 * 1024);
  const pump = (async () => { for (let i = 0; i < 100; i++) { if (!stream.write(chunk)) await once(stream, "drain"); sent += chunk.length; } stream.end(); })();
  for (let i = 0; i < 200; i++) await turn();
  t.true(sent < 3_000_000, `${sent} bytes were taken with nobody reading`);
  let received = 0;
  for await (const part of slow!) received += (part as Buffer).length;
  await pump;
  t.is(received, 100 * chunk.length);
});

test("SpdyStream.destroy() resets the other side; refuse() fails the opener", async (t) => {
  const seen: SpdyStream[] = [];
  const { client } = pair((stream) => { if (stream.headers.want === "no") { stream.refuse(); return; } stream.reply(); seen.push(stream); });
  const refused = client.open({ want: "no" });
  refused.on("error", () => {});
  await t.throwsAsync(() => refused.replied, { message: /status 3/ });
  const stream = client.open({});
  await stream.replied;
  const closed = once(seen[0]!, "close");
  stream.destroy();
  await closed;
  t.true(seen[0]!.destroyed);
});

test("SpdyConnection ends its streams when the socket dies, and says goodbye to a peer that talks nonsense", async (t) => {
  const { client, ends } = pair((stream) => { stream.reply(); });
  const stream = client.open({});
  await stream.replied;
  const closed = once(stream, "close");
  ends[1]!.destroy();
  ends[0]!.destroy();
  await closed;
  await client.closed;
  const [a, b] = duplexPair(), server = new SpdyConnection(b, { role: "server" });
  a.resume();
  a.write(hex("80040001 00000000"));
  await server.closed;
  t.regex(server.failure!.message, /version 4/);
});

/** What a peer sends that replies, says something, cancels and closes, in one piece. */
function lastWords(streamId: number, data: Buffer): Buffer {
  const parts = [encodeFrame({ type: "syn-reply", streamId, fin: false, headerBlock: new HeaderWriter().write({}) })];
  for (let offset = 0; offset < data.length; offset += 32_768) {
    const part = data.subarray(offset, offset + 32_768);
    parts.push(encodeFrame({ type: "data", streamId, fin: false, data: part }), part);
  }
  return Buffer.concat([...parts, encodeFrame({ type: "rst-stream", streamId, status: RST.cancel }), encodeFrame({ type: "goaway", lastStreamId: streamId, status: 0 })]);
}

for (const [ending, end] of [["ends", (peer: Duplex) => peer.end()], ["breaks", (peer: Duplex) => peer.destroy()]] as const) {
  test(`SpdyStream keeps for a reader that comes late what the peer sent before it cancelled the stream, when the connection ${ending} then`, async (t) => {
    const [a, b] = duplexPair(), connection = new SpdyConnection(a, { role: "client" }), stream = connection.open({});
    b.resume();
    b.write(lastWords(1, Buffer.from("the status")), () => { end(b); if (ending === "breaks") a.destroy(); });
    await stream.replied;
    await connection.closed;
    for (let i = 0; i < 10; i++) await turn();
    stream.write("to nobody"); // Must neither throw nor take away what is there to read.
    t.is(Buffer.concat(await stream.toArray() as Buffer[]).toString(), "the status");
    t.true(stream.destroyed);
    t.is(connection.streamCount, 0);
  });
}

test("SpdyConnection hands on all that arrived before the socket went, to a reader that was behind", async (t) => {
  const [a, b] = duplexPair(), connection = new SpdyConnection(a, { role: "client" }), stream = connection.open({}), data = Buffer.alloc(3_000_000, 7);
  b.resume();
  b.write(lastWords(1, data));
  for (let i = 0; i < 50; i++) await turn();
  t.true(stream.readableLength < 2_000_000); // The connection has stopped; the rest waits in it.
  a.destroy();
  const received = Buffer.concat(await stream.toArray() as Buffer[]);
  t.true(received.equals(data), `${received.length} of ${data.length} bytes`);
});

for (const grants of [true, false]) test(`SpdyConnection needs no windows to send, and grants them ${grants ? "to a peer that does" : "to nobody else"}`, async (t) => {
  const [a, b] = duplexPair(), reader = new FrameReader(), seen: SpdyFrame[] = [];
  const server = new SpdyConnection(b, { role: "server", onStream: (stream) => { stream.reply(); stream.resume(); stream.end(Buffer.alloc(200_000)); } });
  a.on("data", (chunk: Buffer) => { reader.push(chunk); for (let frame = reader.next(); frame !== undefined; frame = reader.next()) seen.push(frame); });
  const data = Buffer.alloc(40_000);
  if (grants) a.write(encodeFrame({ type: "window-update", streamId: 0, delta: 1 }));
  a.write(encodeFrame({ type: "syn-stream", streamId: 1, priority: 0, fin: false, unidirectional: false, headerBlock: new HeaderWriter().write({}) }));
  a.write(Buffer.concat([encodeFrame({ type: "data", streamId: 1, fin: false, data }), data]));
  for (let i = 0; i < 50; i++) await turn();
  t.is(seen.reduce((sum, frame) => sum + (frame.type === "data" ? frame.data.length : 0), 0), 200_000);
  t.is(seen.some((frame) => frame.type === "window-update" && frame.streamId === 1 && frame.delta === 40_000), grants);
  server.destroy();
});
