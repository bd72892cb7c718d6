/** Writes protobuf messages: just the wire types OpenAPI needs. */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }

  #varint(value: number): void {
    this.#reserve(5);
    while (value > 0x7f) { this.#bytes[this.#length++] = (value & 0x7f) | 0x80; value >>>= 7; }
    this.#bytes[this.#length++] = value;
  }

  /** A string; undefined and "" are left out, as proto3 does. */
  string(field: number, value: unknown): this {
    if (typeof value !== "string" || value === "") return this;
    this.#varint((field << 3) | 2);
    const length = Buffer.byteLength(value);
    this.#varint(length);
    this.#reserve(length);
    this.#length += this.#bytes.write(value, this.#length, "utf8");
    return this;
  }

  strings(field: number, values: unknown): this {
    if (Array.isArray(values)) for (const value of values) this.string(field, value);
    return this;
  }

  bool(field: number, value: unknown): this {
    if (value !== true) return this;
    this.#varint(field << 3);
    this.#varint(1);
    return this;
  }

  /** A nested message, written even when empty. */
  message(field: number, write: (nested: ProtobufWriter) => void): this {
    const nested = new ProtobufWriter();
    write(nested);
    const length = nested.#length;
    this.#varint((field << 3) | 2);
    this.#varint(length);
    this.#reserve(length);
    nested.#bytes.copy(this.#bytes, this.#length, 0, length);
    this.#length += length;
    return this;
  }

  finish(): Buffer { return Buffer.from(this.#bytes.subarray(0, this.#length)); }
}
