/** Reads protobuf wire format from a buffer. Throws ProtobufError on what is no message. */
export class ProtobufError extends Error { override readonly name = "ProtobufError"; }

export const VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5;

export class ProtobufReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  constructor(bytes: Buffer, start = 0, end = bytes.length) { this.#bytes = bytes; this.#at = start; this.#end = end; }

  get done(): boolean { return this.#at >= this.#end; }

  /** Number and wire type of the next field. */
  tag(): { number: number; wire: number } {
    const tag = Number(this.varint());
    return { number: Math.floor(tag / 8), wire: tag % 8 };
  }

  /** Signed 64 bits, as Go's int64. */
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
    throw new ProtobufError("integer overflow");
  }

  double(): number { return this.#bytes.readDoubleLE(this.#skipOver(8)); }
  bytes(): Buffer {
    const length = Number(this.varint()), start = this.#skipOver(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Passes over a value of a field nobody knows. */
  skip(wire: number): void {
    switch (wire) {
      case VARINT: this.varint(); return;
      case FIXED64: this.#skipOver(8); return;
      case BYTES: this.bytes(); return;
      case FIXED32: this.#skipOver(4); return;
      default: throw new ProtobufError(`illegal wireType ${wire}`);
    }
  }

  #byte(): number { return this.#bytes[this.#skipOver(1)]!; }
  #skipOver(length: number): number {
    const start = this.#at;
    if (!(length >= 0) || start + length > this.#end) throw new ProtobufError("unexpected EOF");
    this.#at = start + length;
    return start;
  }
}
