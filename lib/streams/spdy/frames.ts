/**
 * SPDY/3 frames: to bytes and from them. Header blocks stay compressed here. Pure.
 * Source: SPDY draft 3.1, 2.2 and 2.6.
 */
export class SpdyError extends Error { override readonly name = "SpdyError"; }

export type SpdyFrame =
  | { readonly type: "syn-stream"; readonly streamId: number; readonly priority: number; readonly fin: boolean; readonly unidirectional: boolean; readonly headerBlock: Buffer }
  | { readonly type: "syn-reply"; readonly streamId: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: "headers"; readonly streamId: number; readonly fin: boolean; readonly headerBlock: Buffer }
  | { readonly type: "rst-stream"; readonly streamId: number; readonly status: number }
  | { readonly type: "settings"; readonly values: readonly { readonly id: number; readonly value: number }[] }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "goaway"; readonly lastStreamId: number; readonly status: number }
  | { readonly type: "window-update"; readonly streamId: number; readonly delta: number }
  | { readonly type: "data"; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  /** A control frame of a kind this version does not know: to be ignored. */
  | { readonly type: "unknown"; readonly kind: number };

export const RST = { protocolError: 1, invalidStream: 2, refusedStream: 3, unsupportedVersion: 4, cancel: 5, internalError: 6, flowControlError: 7, streamInUse: 8, streamAlreadyClosed: 9 } as const;
/** SETTINGS_INITIAL_WINDOW_SIZE. */
export const SETTING_INITIAL_WINDOW = 7;
export const DEFAULT_WINDOW_BYTES = 64 * 1024;
/** Larger frames than any peer of ours sends; the protocol allows 16 MiB. */
export const FRAME_MAX_BYTES = 16 * 1024 * 1024 - 1;

const VERSION = 3, FLAG_FIN = 1, FLAG_UNIDIRECTIONAL = 2;
const KIND = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goaway: 7, headers: 8, windowUpdate: 9 } as const;

function control(kind: number, flags: number, ...parts: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(8), length = parts.reduce((sum, part) => sum + part.length, 0);
  head.writeUInt16BE(0x8000 | VERSION, 0);
  head.writeUInt16BE(kind, 2);
  head.writeUInt8(flags, 4);
  head.writeUIntBE(length, 5, 3);
  return Buffer.concat([head, ...parts]);
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => bytes.writeUInt32BE(value >>> 0, i * 4));
  return bytes;
}

/** The frame as bytes; for data, its head alone (the data is written after it, not copied). */
export function encodeFrame(frame: Exclude<SpdyFrame, { type: "unknown" }>): Buffer {
  switch (frame.type) {
    case "syn-stream": return control(KIND.synStream, (frame.fin ? FLAG_FIN : 0) | (frame.unidirectional ? FLAG_UNIDIRECTIONAL : 0), words(frame.streamId, 0), Buffer.from([(frame.priority & 7) << 5, 0]), frame.headerBlock);
    case "syn-reply": return control(KIND.synReply, frame.fin ? FLAG_FIN : 0, words(frame.streamId), frame.headerBlock);
    case "headers": return control(KIND.headers, frame.fin ? FLAG_FIN : 0, words(frame.streamId), frame.headerBlock);
    case "rst-stream": return control(KIND.rstStream, 0, words(frame.streamId, frame.status));
    case "settings": return control(KIND.settings, 0, words(frame.values.length, ...frame.values.flatMap(({ id, value }) => [id & 0xffffff, value])));
    case "ping": return control(KIND.ping, 0, words(frame.id));
    case "goaway": return control(KIND.goaway, 0, words(frame.lastStreamId, frame.status));
    case "window-update": return control(KIND.windowUpdate, 0, words(frame.streamId, frame.delta));
    case "data": {
      const head = Buffer.alloc(8);
      head.writeUInt32BE(frame.streamId, 0);
      head.writeUInt8(frame.fin ? FLAG_FIN : 0, 4);
      head.writeUIntBE(frame.data.length, 5, 3);
      return head;
    }
  }
}

/** Cuts a run of bytes into frames; keeps what is incomplete for the next push. */
export class FrameReader {
  #pending: Buffer[] = [];
  #size = 0;
  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    this.#size += chunk.length;
  }
  /** The next whole frame, or undefined until more bytes come. Throws SpdyError. */
  next(): SpdyFrame | undefined {
    if (this.#size < 8) return undefined;
    const head = this.#peek(8), length = head.readUIntBE(5, 3);
    if (this.#size < 8 + length) return undefined;
    const bytes = this.#take(8 + length);
    return decode(head, bytes.subarray(8));
  }
  #peek(count: number): Buffer {
    if (this.#pending[0]!.length < count) this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0]!.subarray(0, count);
  }
  #take(count: number): Buffer {
    if (this.#pending[0]!.length < count) this.#pending = [Buffer.concat(this.#pending)];
    const first = this.#pending[0]!;
    this.#size -= count;
    if (first.length === count) this.#pending.shift();
    else this.#pending[0] = first.subarray(count);
    return first.subarray(0, count);
  }
}

function decode(head: Buffer, payload: Buffer): SpdyFrame {
  const first = head.readUInt32BE(0), flags = head.readUInt8(4), fin = (flags & FLAG_FIN) !== 0;
  if ((first & 0x8000_0000) === 0) return { type: "data", streamId: first & 0x7fff_ffff, fin, data: payload };
  const version = (first >>> 16) & 0x7fff, kind = first & 0xffff;
  if (version !== VERSION) throw new SpdyError(`Cannot read SPDY frame: version ${version}, wanted ${VERSION}`);
  const need = (size: number): void => { if (payload.length < size) throw new SpdyError(`Cannot read SPDY frame of kind ${kind}: ${payload.length} bytes, wanted at least ${size}`); };
  const id = (at = 0): number => payload.readUInt32BE(at) & 0x7fff_ffff;
  switch (kind) {
    case KIND.synStream: need(10); return { type: "syn-stream", streamId: id(), priority: payload[8]! >> 5, fin, unidirectional: (flags & FLAG_UNIDIRECTIONAL) !== 0, headerBlock: payload.subarray(10) };
    case KIND.synReply: need(4); return { type: "syn-reply", streamId: id(), fin, headerBlock: payload.subarray(4) };
    case KIND.headers: need(4); return { type: "headers", streamId: id(), fin, headerBlock: payload.subarray(4) };
    case KIND.rstStream: need(8); return { type: "rst-stream", streamId: id(), status: payload.readUInt32BE(4) };
    case KIND.settings: need(4); return { type: "settings", values: settings(payload) };
    case KIND.ping: need(4); return { type: "ping", id: payload.readUInt32BE(0) };
    case KIND.goaway: need(8); return { type: "goaway", lastStreamId: id(), status: payload.readUInt32BE(4) };
    case KIND.windowUpdate: need(8); return { type: "window-update", streamId: id(), delta: id(4) };
    default: return { type: "unknown", kind };
  }
}

function settings(payload: Buffer): { id: number; value: number }[] {
  const count = payload.readUInt32BE(0);
  if (payload.length < 4 + count * 8) throw new SpdyError(`Cannot read SPDY settings: ${count} announced, ${Math.floor((payload.length - 4) / 8)} there`);
  return Array.from({ length: count }, (_, i) => ({ id: payload.readUInt32BE(4 + i * 8) & 0xffffff, value: payload.readUInt32BE(8 + i * 8) }));
}
