/**
 * Turns the chunks of a watch response into its JSON lines.
 *
 * Promises: works on bytes, so a UTF-8 character split between chunks survives; a line spread over many chunks is joined once,
 * not once a chunk; a line above the limit is refused rather than buffered for ever.
 */
const NEWLINE = 0x0a;
/** Far above the largest object the store takes; beyond it the peer is not speaking our protocol. */
export const WATCH_LINE_BYTES_MAX = 64 * 1024 * 1024;

export class LineDecoder {
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  /** Returns the lines completed by `chunk`, without their newline; blank ones are dropped. Throws RangeError above the limit. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const line = this.#take(chunk.subarray(start, end));
      if (line !== "") lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#pending.push(chunk.subarray(start));
      this.#pendingBytes += chunk.length - start;
      if (this.#pendingBytes > WATCH_LINE_BYTES_MAX) throw new RangeError(`Cannot decode watch: a line exceeds ${WATCH_LINE_BYTES_MAX} bytes`);
    }
    return lines;
  }

  /** What was left without a newline when the stream ended. */
  get rest(): string { return Buffer.concat(this.#pending).toString("utf8"); }

  #take(tail: Buffer): string {
    if (this.#pending.length === 0) return tail.toString("utf8");
    const line = Buffer.concat([...this.#pending, tail]).toString("utf8");
    this.#pending = [];
    this.#pendingBytes = 0;
    return line;
  }
}
