/**
 * One stream of a SPDY connection as a Duplex: `end()` closes our direction, the readable side ends with the peer's,
 * `destroy()` resets both. Made by SpdyConnection only.
 *
 * Promises: what the peer sent before it cancelled the stream, or before the connection ended, stays the reader's. Peers out
 * there (moby/spdystream in containerd) say a command's exit status, cancel the stream and close, all in one breath.
 */
import { Duplex } from "node:stream";
import { DEFAULT_WINDOW_BYTES, RST } from "./frames.ts";
import type { SpdyHeaders } from "./header-block.ts";

/** What a stream needs of its connection. */
export interface StreamLink {
  sendData(stream: SpdyStream, data: Buffer, fin: boolean, done: () => void): void;
  sendReply(stream: SpdyStream, headers: SpdyHeaders): void;
  sendReset(stream: SpdyStream, status: number): void;
  /** The reader took `bytes`: the peer may send as many more. */
  consumed(stream: SpdyStream, bytes: number): void;
  forget(stream: SpdyStream): void;
}

export class SpdyStream extends Duplex {
  readonly id: number;
  /** What the opener sent with it. */
  readonly headers: SpdyHeaders;
  /** Resolves when the peer replied to a stream we opened; rejects when it refused. */
  readonly replied: Promise<void>;
  readonly #link: StreamLink;
  #settleReply!: { resolve: () => void; reject: (error: Error) => void };
  /** Bytes handed to us that the reader has not taken yet. */
  #unread: number[] = [];
  #resetByPeer = false;

  constructor(id: number, headers: SpdyHeaders, link: StreamLink) {
    super({ allowHalfOpen: true, highWaterMark: DEFAULT_WINDOW_BYTES });
    this.id = id;
    this.headers = headers;
    this.#link = link;
    this.replied = new Promise((resolve, reject) => { this.#settleReply = { resolve, reject }; });
    this.replied.catch(() => {}); // Nobody need wait for it.
  }

  /** Accepts a stream the peer opened. */
  reply(headers: SpdyHeaders = {}): void { this.#link.sendReply(this, headers); }
  /** Turns down a stream the peer opened. */
  refuse(): void { this.#link.sendReset(this, RST.refusedStream); this.#resetByPeer = true; this.destroy(); }

  override _read(): void {
    let taken = 0;
    for (const bytes of this.#unread) taken += bytes;
    this.#unread = [];
    if (taken > 0) this.#link.consumed(this, taken);
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void { this.#link.sendData(this, chunk, false, done); }
  override _final(done: (error?: Error | null) => void): void { this.#link.sendData(this, Buffer.alloc(0), true, done); }
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#resetByPeer && !(this.readableEnded && this.writableFinished)) this.#link.sendReset(this, RST.cancel);
    this.#settleReply.reject(error ?? new Error("the stream was closed before the peer replied"));
    this.#link.forget(this);
    done(error);
  }

  // What the connection tells its stream.
  /** Returns false when the reader is behind. */
  receive(data: Buffer): boolean {
    if (this.destroyed || this.readableEnded || data.length === 0) return true;
    this.#unread.push(data.length);
    return this.push(data);
  }
  receiveEnd(): void { if (!this.destroyed && !this.readableEnded) this.push(null); }
  receiveReply(): void { this.#settleReply.resolve(); }
  receiveReset(status: number): void {
    const why = new Error(`the peer reset stream ${this.id} with status ${status}`);
    // A peer that is done with us cancels; only a reset in mid-sentence is an error worth raising.
    if (status === RST.cancel || (this.readableEnded && this.writableFinished)) { this.#peerGone(why); return; }
    this.#resetByPeer = true;
    this.destroy(why);
  }
  connectionClosed(): void { this.#peerGone(new Error("the connection was closed before the peer replied")); }

  /** Closes once all was read: at once with nothing to read and nobody who would. What is written until then goes nowhere. */
  #peerGone(noReply: Error): void {
    this.#resetByPeer = true;
    this.#settleReply.reject(noReply);
    this.#link.forget(this);
    if (this.readableEnded || (this.readableLength === 0 && this.readableFlowing === null)) { this.destroy(); return; }
    this.once("end", () => this.destroy());
    this.receiveEnd();
  }
}
