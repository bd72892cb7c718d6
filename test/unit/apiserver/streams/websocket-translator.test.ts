import test, { type ExecutionContext } from "ava";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Duplex, duplexPair } from "node:stream";
import { WebSocket } from "ws";
import { StatusError } from "../../../../lib/api/status-error.ts";
import type { StreamCall } from "../../../../lib/apiserver/contracts.ts";
import { CHANNEL, translateWebSocket } from "../../../../lib/apiserver/streams/websocket-translator.ts";
import { encodeFrame, RST } from "../../../../lib/streams/spdy/frames.ts";
import { HeaderWriter } from "../../../../lib/streams/spdy/header-block.ts";
import { SpdyConnection } from "../../../../lib/streams/spdy/spdy-connection.ts";

const PROTOCOL = "v5.channel.k8s.io", STATUS = '{"status":"Success"}', STREAMS = { stdin: false, stdout: true, stderr: false, tty: false };
/** In the order the translator opens them. */
const ERROR_STREAM = 1, STDOUT_STREAM = 3;
const PIECE_BYTES = 16 * 1024;

/** A WebSocket client of the translator; `kubelet` is given the other end of the SPDY connection once it was asked for. */
async function exec(t: ExecutionContext, kubelet: (peer: Duplex) => void): Promise<{ client: WebSocket; served: Promise<void> }> {
  const http = createServer();
  const asked = once(http, "upgrade") as Promise<[IncomingMessage, Duplex, Buffer]>;
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.teardown(() => http.close());
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/`, [PROTOCOL]);
  const [{ headers }, socket, head] = await asked;
  const connect = (): Promise<SpdyConnection> => {
    const [near, far] = duplexPair();
    far.resume();
    kubelet(far);
    return Promise.resolve(new SpdyConnection(near, { role: "client" }));
  };
  const served = translateWebSocket({ headers, upgrade: { socket: slow(socket), head } } as unknown as StreamCall, PROTOCOL, STREAMS, connect, (error) => new StatusError("InternalError", String(error)));
  return { client, served };
}

/** `socket` that takes one piece a turn, as over a slow line: what was written last is still waiting when its writer is done. */
function slow(socket: Duplex): Duplex {
  const slowed = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) { socket.write(chunk); setImmediate(done); },
    final(done) { socket.end(done); },
  });
  socket.on("data", (chunk: Buffer) => slowed.push(chunk)).on("end", () => slowed.push(null));
  return slowed;
}

/** A kubelet whose command is over before it was asked: replies, output, status, resets and the close come in one piece. */
function overAtOnce(output: Buffer): Buffer {
  const headers = new HeaderWriter(), frames: Buffer[] = [];
  for (const streamId of [ERROR_STREAM, STDOUT_STREAM]) frames.push(encodeFrame({ type: "syn-reply", streamId, fin: false, headerBlock: headers.write({}) }));
  for (let offset = 0; offset < output.length; offset += PIECE_BYTES) {
    const data = output.subarray(offset, offset + PIECE_BYTES);
    frames.push(encodeFrame({ type: "data", streamId: STDOUT_STREAM, fin: false, data }), data);
  }
  frames.push(encodeFrame({ type: "data", streamId: ERROR_STREAM, fin: false, data: Buffer.from(STATUS) }), Buffer.from(STATUS));
  for (const streamId of [ERROR_STREAM, STDOUT_STREAM]) frames.push(encodeFrame({ type: "rst-stream", streamId, status: RST.cancel }));
  return Buffer.concat([...frames, encodeFrame({ type: "goaway", lastStreamId: 0, status: 0 })]);
}

const messages = async (client: WebSocket): Promise<Buffer[]> => {
  const seen: Buffer[] = [];
  client.on("message", (data: Buffer) => seen.push(data));
  await once(client, "close");
  return seen;
};

for (const [ending, end] of [["ends", (peer: Duplex) => { peer.end(); }], ["breaks", (peer: Duplex) => { peer.destroy(); }]] as const) {
  test(`translateWebSocket() passes on output and status of a command that was over before anybody read, when the connection ${ending} with it`, async (t) => {
    const { client, served } = await exec(t, (peer) => { peer.write(overAtOnce(Buffer.from("hello")), () => end(peer)); });
    const seen = await messages(client);
    await served;
    t.deepEqual(seen.map((message) => [message[0], message.toString("utf8", 1)]), [[CHANNEL.stdout, ""], [CHANNEL.stdout, "hello"], [CHANNEL.error, STATUS]]);
  });
}

test("translateWebSocket() passes on all output before the status, to a client that is slow", async (t) => {
  // A channel stops its source at four pieces: the last three are in it, still to be sent, when the source ends.
  const output = Buffer.alloc(103 * PIECE_BYTES, 7);
  const { client, served } = await exec(t, (peer) => { peer.write(overAtOnce(output), () => peer.end()); });
  const seen = await messages(client);
  await served;
  t.is(seen.reduce((sum, message) => sum + (message[0] === CHANNEL.stdout ? message.length - 1 : 0), 0), output.length);
  t.deepEqual([seen.at(-1)![0], seen.at(-1)!.toString("utf8", 1)], [CHANNEL.error, STATUS]);
});

test("translateWebSocket() says so when the connection ended and no status had come", async (t) => {
  const { client, served } = await exec(t, (peer) => {
    const headers = new HeaderWriter();
    peer.end(Buffer.concat([ERROR_STREAM, STDOUT_STREAM].map((streamId) => encodeFrame({ type: "syn-reply", streamId, fin: false, headerBlock: headers.write({}) }))));
  });
  const seen = await messages(client);
  await served;
  t.is(seen.at(-1)![0], CHANNEL.error);
  t.regex(seen.at(-1)!.toString("utf8", 1), /the connection to the node ended before the command did/);
});
