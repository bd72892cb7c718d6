/**
 * exec and attach over WebSocket: the client's channels become SPDY streams towards the kubelet, which needs to know one
 * protocol only. Counterpart: apiserver `util/proxy/streamtranslator.go` and `websocket.go`.
 *
 * Promises: all that the process wrote arrives before its exit status, and that before the close; stdin ends for the process
 * when a v5 client closes it, or when the client goes; a failure to reach the process is told on the error channel.
 */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import type { StatusError } from "../../api/status-error.ts";
import { acceptWebSocket } from "../../streams/websocket/accept.ts";
import { ChannelSocket } from "../../streams/websocket/channel-socket.ts";
import type { SpdyConnection } from "../../streams/spdy/spdy-connection.ts";
import type { StreamCall } from "../contracts.ts";

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;

export interface RemoteCommandStreams { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean }

/** Sub-protocols whose error channel carries a Status; the older ones carry its message alone. */
const carriesStatus = (protocol: string): boolean => protocol.startsWith("v4.") || protocol.startsWith("v5.");

/** The text of the error channel for a client of `protocol`, from the Status the kubelet sent. Pure. */
export function errorChannelText(protocol: string, status: string): string {
  if (carriesStatus(protocol)) return status;
  try {
    const parsed = JSON.parse(status) as { status?: string; message?: string };
    return parsed.status === "Success" ? "" : (parsed.message ?? status);
  } catch { return status; }
}

/** Settles when the client's socket is closed. `connect` reaches the kubelet; what it throws is told to the client. */
export async function translateWebSocket(call: StreamCall, protocol: string, streams: RemoteCommandStreams, connect: () => Promise<SpdyConnection>, toStatus: (error: unknown) => StatusError): Promise<void> {
  const { socket, head } = call.upgrade!, wanted: readonly (readonly [keyof typeof CHANNEL, boolean])[] = [
    ["error", true], ["stdin", streams.stdin], ["stdout", streams.stdout], ["stderr", streams.stderr && !streams.tty], ["resize", streams.tty],
  ];
  const names = wanted.filter(([, on]) => on).map(([name]) => name);
  const client = new ChannelSocket(await acceptWebSocket(call.headers, socket, head, protocol), protocol, names.map((name) => CHANNEL[name]));
  // An empty message on the first channel we write: the client knows the connection stands.
  client.channel(names.includes("stdout") ? CHANNEL.stdout : names.includes("stderr") ? CHANNEL.stderr : CHANNEL.error).write(Buffer.alloc(0));
  for (const name of names) client.channel(CHANNEL[name]).on("error", () => { /* Writing to a client that has gone: its close is what counts. */ });
  let connection: SpdyConnection | undefined;
  try {
    connection = await connect();
    await relay(client, connection, names, protocol);
  } catch (error) {
    const status = toStatus(error);
    await write(client.channel(CHANNEL.error), errorChannelText(protocol, JSON.stringify(status.toStatus())));
  } finally {
    connection?.close();
    client.close();
  }
  await client.closed;
}

async function relay(client: ChannelSocket, connection: SpdyConnection, names: readonly (keyof typeof CHANNEL)[], protocol: string): Promise<void> {
  const opened = new Map<keyof typeof CHANNEL, Duplex>(), replies: Promise<void>[] = [];
  for (const name of names) {
    const stream = connection.open({ streamType: name });
    stream.on("error", () => { /* The connection's end tells. */ });
    replies.push(stream.replied);
    opened.set(name, stream);
  }
  const gone = client.closed.then(() => { connection.destroy(); });
  await Promise.race([Promise.all(replies), gone]);
  const error = opened.get("error")!;
  error.end(); // Nothing is ever written to it from here.
  for (const name of ["stdin", "resize"] as const) {
    const stream = opened.get(name);
    if (stream === undefined) continue;
    client.channel(CHANNEL[name]).pipe(stream);
    stream.resume(); // The peer writes nothing there, but its end must be seen.
  }
  const outputs = (["stdout", "stderr"] as const).filter((name) => opened.has(name)).map(async (name) => {
    const stream = opened.get(name)!, channel = client.channel(CHANNEL[name]);
    stream.end();
    stream.pipe(channel, { end: false });
    await ended(stream);
    await finished(channel); // A slow client's channel still holds some of it.
  });
  const status = readAll(error);
  await Promise.race([Promise.all([...outputs, status]), gone]);
  const text = await Promise.race([status, gone.then(() => undefined)]);
  if (text === "") throw connection.failure ?? new Error("the connection to the node ended before the command did");
  if (text !== undefined) await write(client.channel(CHANNEL.error), errorChannelText(protocol, text));
}

/** When everything was read, or the stream is gone. */
async function ended(stream: Duplex): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  await Promise.race([once(stream, "end"), once(stream, "close")]).catch(() => {});
}

/** When everything written was sent, or cannot be. */
async function finished(stream: Duplex): Promise<void> {
  if (stream.destroyed) return;
  const done = Promise.race([once(stream, "finish"), once(stream, "close")]).catch(() => {});
  stream.end();
  await done;
}

async function readAll(stream: Duplex): Promise<string> {
  const parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => parts.push(part));
  await ended(stream);
  return Buffer.concat(parts).toString("utf8");
}

/** Resolves when the text is on its way, or cannot be. */
const write = (stream: Duplex, text: string): Promise<void> => new Promise((resolve) => { if (text === "" || stream.destroyed) resolve(); else stream.write(text, () => resolve()); });
