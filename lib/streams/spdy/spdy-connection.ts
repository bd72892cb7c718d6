/**
 * A SPDY/3.1 connection over any byte stream, in the client's or the server's role.
 *
 * Promises: streams either side opens, half-close, reset, ping answered; frames go out in the order they were written;
 * when the connection ends, its streams end, each after all that arrived for it, and `failure` says whether it broke;
 * memory is bounded, because a reader that stays behind by UNREAD_MAX_BYTES stops the whole connection.
 * Flow control: TCP's alone. The peers out there (moby/spdystream in kubectl, kubelet and containerd) neither grant
 * windows nor wait for them: to keep to theirs would be to stop after 64 KiB, and a grant that reaches a peer which has
 * said all and closed would reset the connection and lose what it said. So only a peer that grants is granted to.
 * Counterpart: moby/spdystream.
 */
import type { Duplex } from "node:stream";
import { DEFAULT_WINDOW_BYTES, encodeFrame, FrameReader, RST, SpdyError, type SpdyFrame } from "./frames.ts";
import { HeaderReader, HeaderWriter, type SpdyHeaders } from "./header-block.ts";
import { SpdyStream, type StreamLink } from "./spdy-stream.ts";

export const STREAMS_MAX = 1_000;
/** Bytes of one stream kept for a slow reader before nothing more is read from the connection. */
export const UNREAD_MAX_BYTES = 1024 * 1024;
const DATA_FRAME_MAX_BYTES = 32 * 1024;

export interface SpdyConnectionOptions {
  readonly role: "client" | "server";
  /** A stream the peer opened: `reply()` or `refuse()` it. Without a handler all are refused. */
  readonly onStream?: (stream: SpdyStream) => void;
  /** Bytes already read beyond the upgrade. */
  readonly head?: Buffer;
}

export class SpdyConnection implements StreamLink {
  readonly #socket: Duplex;
  readonly #options: SpdyConnectionOptions;
  readonly #streams = new Map<number, SpdyStream>();
  /** Bytes taken by readers since the last grant. */
  readonly #taken = new Map<number, number>();
  readonly #writer = new HeaderWriter();
  readonly #reader = new HeaderReader();
  readonly #frames = new FrameReader();
  #nextId: number;
  #lastPeerId = 0;
  #nextPingId: number;
  #reading = false;
  #peerGrants = false;
  #paused = false;
  /** The socket is gone; what arrived before may not have been handled yet. */
  #over = false;
  #ended = false;
  readonly #pings = new Map<number, () => void>();
  /** Resolves when the connection is over; never rejects. */
  readonly closed: Promise<void>;
  #resolveClosed!: () => void;
  /** Why it ended, when it was not a plain close. */
  failure: Error | undefined;

  constructor(socket: Duplex, options: SpdyConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#nextId = this.#nextPingId = options.role === "client" ? 1 : 2;
    this.closed = new Promise((resolve) => { this.#resolveClosed = resolve; });
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => this.#end());
    socket.on("close", () => this.#end());
    socket.on("error", (error) => { this.failure ??= error; this.#end(); });
    if (options.head !== undefined && options.head.length > 0) this.#receive(options.head);
  }

  /** Opens a stream. Await its `replied` to know that the peer took it. */
  open(headers: SpdyHeaders): SpdyStream {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = this.#add(id, headers);
    this.#write({ type: "syn-stream", streamId: id, priority: 0, fin: false, unidirectional: false, headerBlock: this.#writer.write(headers) });
    return stream;
  }

  /** Resolves when the peer answers. */
  ping(): Promise<void> {
    const id = this.#nextPingId;
    this.#nextPingId += 2;
    return new Promise((resolve) => { this.#pings.set(id, resolve); this.#write({ type: "ping", id }); });
  }

  /** Says goodbye and closes; streams still open end. */
  close(): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#write({ type: "goaway", lastStreamId: this.#lastPeerId, status: 0 });
    this.#socket.end();
  }
  /** Cuts the connection. */
  destroy(error?: Error): void {
    this.failure ??= error;
    this.#socket.destroy();
    this.#finish();
  }
  get streamCount(): number { return this.#streams.size; }

  #add(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(id, headers, this);
    this.#streams.set(id, stream);
    return stream;
  }

  // What streams ask for.
  sendData(stream: SpdyStream, data: Buffer, fin: boolean, done: () => void): void {
    if (!this.#streams.has(stream.id) || this.#socket.destroyed || this.#socket.writableEnded) return done(); // The stream is closing too.
    for (let offset = 0; ; offset += DATA_FRAME_MAX_BYTES) {
      const part = data.subarray(offset, offset + DATA_FRAME_MAX_BYTES), isLast = offset + part.length >= data.length;
      this.#write({ type: "data", streamId: stream.id, fin: fin && isLast, data: part }, isLast ? done : undefined);
      if (isLast) return;
    }
  }
  sendReply(stream: SpdyStream, headers: SpdyHeaders): void { this.#write({ type: "syn-reply", streamId: stream.id, fin: false, headerBlock: this.#writer.write(headers) }); }
  sendReset(stream: SpdyStream, status: number): void { this.#write({ type: "rst-stream", streamId: stream.id, status }); }
  consumed(stream: SpdyStream, bytes: number): void {
    if (!this.#streams.has(stream.id)) return; // Its peer has said all.
    const taken = (this.#taken.get(stream.id) ?? 0) + bytes;
    // In halves of a window: an update for each chunk would double the frames.
    const grants = this.#peerGrants && taken >= DEFAULT_WINDOW_BYTES / 2;
    if (grants) this.#write({ type: "window-update", streamId: stream.id, delta: taken });
    this.#taken.set(stream.id, grants ? 0 : taken);
    if (this.#paused && stream.readableLength < UNREAD_MAX_BYTES / 2) this.#resume();
  }
  forget(stream: SpdyStream): void {
    this.#streams.delete(stream.id);
    this.#taken.delete(stream.id);
    if (this.#paused) this.#resume();
  }

  /** `done` is called when the socket took it: that is what slows a fast writer down. A broken socket is told by the connection's end, once, not by each write. */
  #write(frame: Exclude<SpdyFrame, { type: "unknown" }>, done: () => void = () => {}): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return done();
    const head = encodeFrame(frame);
    if (frame.type !== "data" || frame.data.length === 0) { this.#socket.write(head, () => done()); return; }
    this.#socket.cork();
    this.#socket.write(head);
    this.#socket.write(frame.data, () => done());
    process.nextTick(() => this.#socket.uncork());
  }

  #receive(chunk: Buffer): void {
    this.#frames.push(chunk);
    if (!this.#reading && !this.#paused) void this.#readFrames();
  }

  /** Frames one after the other; header blocks decompress asynchronously, so everything behind them waits, in the socket. */
  async #readFrames(): Promise<void> {
    this.#reading = true;
    try {
      for (let frame = this.#frames.next(); frame !== undefined; frame = this.#paused ? undefined : this.#frames.next()) {
        const pending = this.#handle(frame);
        if (pending === undefined) continue;
        this.#socket.pause();
        await pending;
        if (!this.#paused) this.#socket.resume();
      }
    } catch (error) {
      if (this.#ended) return; // Cut by us in the middle of a block.
      this.#write({ type: "goaway", lastStreamId: this.#lastPeerId, status: 1 });
      this.destroy(error instanceof Error ? error : new SpdyError(String(error)));
    } finally {
      this.#reading = false;
      if (this.#over) this.#end();
    }
  }

  #handle(frame: SpdyFrame): Promise<void> | undefined {
    switch (frame.type) {
      case "data": return this.#handleData(frame.streamId, frame.data, frame.fin);
      case "syn-stream": return this.#handleOpen(frame);
      case "syn-reply": case "headers": return this.#handleHeaders(frame);
      case "rst-stream": this.#streams.get(frame.streamId)?.receiveReset(frame.status); return undefined;
      case "ping": this.#handlePing(frame.id); return undefined;
      case "window-update": this.#peerGrants = true; return undefined;
      case "settings": case "goaway": case "unknown": return undefined; // What is open goes on; the peer closes when it is done.
    }
  }

  #handleData(id: number, data: Buffer, fin: boolean): undefined {
    const stream = this.#streams.get(id);
    if (stream === undefined) return; // Closed here while the peer was still sending.
    if (!stream.receive(data) && stream.readableLength >= UNREAD_MAX_BYTES) this.#pause();
    if (fin) stream.receiveEnd();
  }

  async #handleOpen(frame: Extract<SpdyFrame, { type: "syn-stream" }>): Promise<void> {
    // Read in any case: the decompressor must see every block.
    const headers = await this.#reader.read(frame.headerBlock), id = frame.streamId;
    if (id % 2 === this.#nextId % 2 || id <= this.#lastPeerId) throw new SpdyError(`Cannot accept SPDY stream ${id}: its number is not the peer's next`);
    this.#lastPeerId = id;
    const handler = this.#options.onStream;
    if (handler === undefined || this.#streams.size >= STREAMS_MAX) return this.#write({ type: "rst-stream", streamId: id, status: RST.refusedStream });
    const stream = this.#add(id, headers);
    handler(stream);
    if (frame.fin) stream.receiveEnd();
  }

  async #handleHeaders(frame: Extract<SpdyFrame, { type: "syn-reply" | "headers" }>): Promise<void> {
    await this.#reader.read(frame.headerBlock);
    const stream = this.#streams.get(frame.streamId);
    if (frame.type === "syn-reply") stream?.receiveReply();
    if (frame.fin) stream?.receiveEnd();
  }

  #handlePing(id: number): void {
    const answered = this.#pings.get(id);
    if (answered !== undefined) { this.#pings.delete(id); answered(); return; }
    if (id % 2 !== this.#nextPingId % 2) this.#write({ type: "ping", id });
  }

  #pause(): void { if (!this.#paused) { this.#paused = true; this.#socket.pause(); } }
  #resume(): void {
    for (const stream of this.#streams.values()) if (stream.readableLength >= UNREAD_MAX_BYTES) return;
    this.#paused = false;
    this.#socket.resume();
    if (!this.#reading) void this.#readFrames();
  }

  /** Nothing more arrives. Ends the streams as soon as what did arrive is handled: a reader that is behind may still hold that up. */
  #end(): void {
    this.#over = true;
    if (!this.#reading && !this.#paused) this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const stream of [...this.#streams.values()]) stream.connectionClosed();
    this.#reader.close();
    if (!this.#socket.destroyed) this.#socket.end();
    this.#resolveClosed();
  }
}
