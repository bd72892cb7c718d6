/**
 * The buffers long lists are written through. A list of 18,000 pods is some fifty of them; each a fresh one would stay until the next
 * collection, which an idle server does not come to for long.
 */
export const CHUNK_BYTES = 512 * 1024;
/** As many as a few lists at once have on their way; what is beyond is left to the collector. */
const SPARE_MAX = 4;

export class ChunkBuffers {
  readonly #spare: Buffer[] = [];

  /** A buffer of at least `sizeBytes` bytes, CHUNK_BYTES at the least; what it holds is undefined. */
  take(sizeBytes = 0): Buffer {
    if (sizeBytes > CHUNK_BYTES) return Buffer.allocUnsafeSlow(sizeBytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  }

  /** Takes back a buffer (or a part from its start) that nothing reads any more. Never give one twice. */
  giveBack({ buffer, byteOffset }: Buffer): void {
    if (buffer.byteLength === CHUNK_BYTES && byteOffset === 0 && this.#spare.length < SPARE_MAX) this.#spare.push(Buffer.from(buffer));
  }
}

/** Those of this process: the lists of all resources use the same few. */
export const listBuffers = new ChunkBuffers();
