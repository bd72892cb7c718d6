/**
 * SPDY/3 header blocks: names and values, compressed in one zlib stream for the life of a connection.
 *
 * What we send is a valid zlib stream of stored blocks: headers of a stream are a few words, so squeezing them would
 * cost more than it saves, and a stored block can be written at once. What we read may be compressed in any way.
 * Source: SPDY draft 3.1, 2.6.10 and 2.6.10.1.
 */
import { constants, createInflate, type Inflate } from "node:zlib";
import { SPDY_DICTIONARY, SPDY_DICTIONARY_ADLER32 } from "./header-dictionary.ts";
import { SpdyError } from "./frames.ts";

/** Lower-case names; several values of one name are joined by "\0" on the wire and by ", " here. */
export type SpdyHeaders = Readonly<Record<string, string>>;

export const HEADER_BLOCK_MAX_BYTES = 64 * 1024;
const HEADERS_MAX = 100;

/** The uncompressed block. */
export function encodeHeaders(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers), parts: Buffer[] = [uint32(entries.length)];
  for (const [name, value] of entries) {
    const nameBytes = Buffer.from(name.toLowerCase(), "utf8"), valueBytes = Buffer.from(value, "utf8");
    parts.push(uint32(nameBytes.length), nameBytes, uint32(valueBytes.length), valueBytes);
  }
  return Buffer.concat(parts);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Reads an uncompressed block. Throws SpdyError. */
export function decodeHeaders(block: Buffer): Record<string, string> {
  let offset = 0;
  const number = (): number => {
    if (offset + 4 > block.length) throw new SpdyError("Cannot read SPDY headers: the block ends early");
    offset += 4;
    return block.readUInt32BE(offset - 4);
  };
  const text = (): string => {
    const length = number();
    if (offset + length > block.length) throw new SpdyError("Cannot read SPDY headers: the block ends early");
    offset += length;
    return block.toString("utf8", offset - length, offset);
  };
  const count = number(), headers: Record<string, string> = {};
  if (count > HEADERS_MAX) throw new SpdyError(`Cannot read SPDY headers: ${count} of them, at most ${HEADERS_MAX} are accepted`);
  for (let i = 0; i < count; i++) {
    const name = text().toLowerCase();
    headers[name] = text().replaceAll("\0", ", ");
  }
  return headers;
}

/** Writes blocks into one zlib stream. */
export class HeaderWriter {
  #started = false;
  write(headers: SpdyHeaders): Buffer {
    const block = encodeHeaders(headers), parts: Buffer[] = [];
    if (!this.#started) {
      this.#started = true;
      // CMF, FLG with the dictionary bit, the dictionary's checksum.
      parts.push(Buffer.from([0x78, 0xbb]), uint32(SPDY_DICTIONARY_ADLER32));
    }
    for (let offset = 0; offset < block.length; offset += 0xffff) parts.push(storedBlock(block.subarray(offset, offset + 0xffff)));
    // An empty block is what a flush looks like: readers hand out what they have only then.
    parts.push(storedBlock(Buffer.alloc(0)));
    return Buffer.concat(parts);
  }
}

function storedBlock(content: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(content.length, 1);
  head.writeUInt16LE(content.length ^ 0xffff, 3);
  return Buffer.concat([head, content]);
}

/** Reads the blocks of one zlib stream, in order: await each before giving the next. */
export class HeaderReader {
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH, flush: constants.Z_SYNC_FLUSH });
  #parts: Buffer[] = [];
  #size = 0;
  #failure: SpdyError | undefined;

  constructor() {
    this.#inflate.on("error", (error) => { this.#failure ??= new SpdyError("Cannot read SPDY headers: they do not decompress", { cause: error }); });
    this.#inflate.on("data", (part: Buffer) => {
      this.#size += part.length;
      if (this.#size <= HEADER_BLOCK_MAX_BYTES) { this.#parts.push(part); return; }
      // A few bytes can stand for gigabytes: stop before they are made.
      this.#failure ??= new SpdyError(`Cannot read SPDY headers: more than ${HEADER_BLOCK_MAX_BYTES} bytes`);
      this.#inflate.destroy();
    });
  }

  /** Rejects with SpdyError when the block is malformed or larger than HEADER_BLOCK_MAX_BYTES. */
  async read(block: Buffer): Promise<Record<string, string>> {
    if (block.length > HEADER_BLOCK_MAX_BYTES) throw new SpdyError(`Cannot read SPDY headers: a block of ${block.length} bytes, at most ${HEADER_BLOCK_MAX_BYTES} are accepted`);
    this.#parts = [];
    this.#size = 0;
    await new Promise<void>((resolve) => {
      const done = (): void => { this.#inflate.off("close", done); resolve(); };
      this.#inflate.once("close", done);
      this.#inflate.write(block, done);
    });
    if (this.#failure !== undefined) throw this.#failure;
    return decodeHeaders(Buffer.concat(this.#parts));
  }
  close(): void { this.#inflate.destroy(); }
}
