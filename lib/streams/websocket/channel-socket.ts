/**
 * Several streams over one WebSocket: each message begins with the number of its channel.
 *
 * - `v4.channel.k8s.io`, `channel.k8s.io`: a byte, then the data. `v5.channel.k8s.io`: also `[255, n]`, "channel n ends".
 * - `base64.channel.k8s.io` and `v4.base64…`: text; a digit, then base64.
 * Promises: a channel whose reader stays behind stops the whole socket, so memory is bounded; after the socket closes
 * every channel ends. Counterpart: apimachinery `httpstream/wsstream/conn.go`.
 */
import { Duplex } from "node:stream";
import type { RawData, WebSocket } from "ws";

export const CHANNEL_PROTOCOLS = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io"] as const;
export type ChannelProtocol = (typeof CHANNEL_PROTOCOLS)[number] | "";

const CLOSE_CHANNEL = 255;
const BUFFER_BYTES = 64 * 1024;
const CLOSE_NORMAL = 1000, CLOSE_PROTOCOL = 1002;
const isBase64 = (protocol: string): boolean => protocol.includes("base64");

/** One message: the channel and its data. Pure. */
export function encodeChannelMessage(protocol: string, channel: number, data: Buffer): Buffer | string {
  return isBase64(protocol) ? `${channel}${data.toString("base64")}` : Buffer.concat([Buffer.from([channel]), data]);
}

/** Reads one message; undefined when it is none. Pure. */
export function decodeChannelMessage(protocol: string, message: Buffer): { channel: number; data: Buffer } | undefined {
  if (message.length === 0) return undefined;
  if (!isBase64(protocol)) return { channel: message[0]!, data: message.subarray(1) };
  const channel = message[0]! - 0x30;
  return channel < 0 || channel > 9 ? undefined : { channel, data: Buffer.from(message.toString("latin1", 1), "base64") };
}

export class ChannelSocket {
  readonly protocol: string;
  readonly #socket: WebSocket;
  readonly #channels = new Map<number, Channel>();
  /** Channels whose readers are behind. */
  readonly #behind = new Set<Channel>();
  /** Resolves when the socket is closed; never rejects. */
  readonly closed: Promise<void>;

  constructor(socket: WebSocket, protocol: string, channels: readonly number[]) {
    this.#socket = socket;
    this.protocol = protocol;
    for (const number of channels) this.#channels.set(number, new Channel((data, done) => this.#send(number, data, done), (channel) => this.#caughtUp(channel)));
    socket.on("message", (data) => this.#receive(toBuffer(data)));
    this.closed = new Promise((resolve) => {
      socket.on("close", () => {
        for (const channel of this.#channels.values()) channel.socketClosed();
        resolve();
      });
    });
    socket.on("error", () => socket.terminate()); // A malformed frame: "close" follows.
  }

  /** One of the channels given at the start; its writable side sends, its readable side ends when the peer closes it. */
  channel(number: number): Duplex {
    const channel = this.#channels.get(number);
    if (channel === undefined) throw new Error(`Assertion failed: channel ${number} was not announced`);
    return channel;
  }

  /** Sends what is still buffered, then says goodbye. */
  close(reason = ""): void { this.#socket.close(CLOSE_NORMAL, reason); }
  terminate(): void { this.#socket.terminate(); }

  #send(number: number, data: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return done(new Error("the WebSocket is closed"));
    this.#socket.send(encodeChannelMessage(this.protocol, number, data), done);
  }

  #receive(message: Buffer): void {
    const decoded = decodeChannelMessage(this.protocol, message);
    if (decoded === undefined) { this.#socket.close(CLOSE_PROTOCOL, "malformed channel message"); return; }
    if (decoded.channel === CLOSE_CHANNEL && this.protocol === "v5.channel.k8s.io") { this.#channels.get(decoded.data[0] ?? -1)?.peerEnded(); return; }
    const channel = this.#channels.get(decoded.channel); // Data for a channel nobody asked for is dropped, as upstream does.
    if (channel === undefined || channel.receive(decoded.data)) return;
    this.#behind.add(channel);
    this.#socket.pause();
  }

  #caughtUp(channel: Channel): void {
    if (this.#behind.delete(channel) && this.#behind.size === 0) this.#socket.resume();
  }
}

class Channel extends Duplex {
  readonly #send: (data: Buffer, done: (error?: Error | null) => void) => void;
  readonly #caughtUp: (channel: Channel) => void;
  constructor(send: (data: Buffer, done: (error?: Error | null) => void) => void, caughtUp: (channel: Channel) => void) {
    super({ allowHalfOpen: true, highWaterMark: BUFFER_BYTES });
    this.#send = send;
    this.#caughtUp = caughtUp;
  }
  override _read(): void { this.#caughtUp(this); }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void { this.#send(chunk, done); }
  /** There is no word for "I am done" from this side: the close of the socket says it. */
  override _final(done: () => void): void { done(); }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void { this.#caughtUp(this); done(error); }
  receive(data: Buffer): boolean { return this.destroyed || this.readableEnded || data.length === 0 || this.push(data); }
  peerEnded(): void { if (!this.destroyed && !this.readableEnded) this.push(null); }
  socketClosed(): void {
    this.peerEnded();
    if (this.readableLength === 0) this.destroy();
  }
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
