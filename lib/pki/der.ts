/**
 * DER, as much of it as certificates need: a writer that nests by values and a reader that trusts no length.
 *
 * Promises: what `der*` functions write is canonical DER; `readDer` throws `DerError` on anything truncated,
 * indefinite or longer than its parent, so bytes from the network can be given to it.
 * Source: ITU-T X.690. Written here because the libraries for it pull a decorator runtime into every daemon.
 */
export class DerError extends Error { override readonly name = "DerError"; }

export const TAG = {
  boolean: 0x01, integer: 0x02, bitString: 0x03, octetString: 0x04, oid: 0x06, utf8String: 0x0c, printableString: 0x13,
  ia5String: 0x16, utcTime: 0x17, generalizedTime: 0x18, sequence: 0x30, set: 0x31,
} as const;

/** One element: tag, length, content. */
export function der(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content]);
}

export const derSequence = (...parts: readonly Buffer[]): Buffer => der(TAG.sequence, Buffer.concat(parts));
/** SET OF: DER wants its members sorted by their bytes. */
export const derSet = (...parts: readonly Buffer[]): Buffer => der(TAG.set, Buffer.concat(parts.toSorted((a, b) => Buffer.compare(a, b))));
export const derBoolean = (value: boolean): Buffer => der(TAG.boolean, Buffer.from([value ? 0xff : 0]));
export const derOctets = (content: Buffer): Buffer => der(TAG.octetString, content);
export const derBits = (content: Buffer, unusedBits = 0): Buffer => der(TAG.bitString, Buffer.concat([Buffer.from([unusedBits]), content]));
export const derUtf8 = (text: string): Buffer => der(TAG.utf8String, Buffer.from(text, "utf8"));
/** [number] EXPLICIT or a constructed implicit. */
export const derContext = (number: number, content: Buffer): Buffer => der(0xa0 | number, content);
/** [number] IMPLICIT of a primitive type. */
export const derContextPrimitive = (number: number, content: Buffer): Buffer => der(0x80 | number, content);

/** A non-negative integer from big-endian bytes. */
export function derUnsigned(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const trimmed = bytes.length === 0 ? Buffer.from([0]) : bytes.subarray(start);
  return der(TAG.integer, trimmed[0]! >= 0x80 ? Buffer.concat([Buffer.from([0]), trimmed]) : trimmed);
}

/** A dotted object identifier. */
export function derOid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [first * 40 + second];
  for (const part of rest) {
    const groups = [part % 128];
    for (let value = Math.floor(part / 128); value > 0; value = Math.floor(value / 128)) groups.unshift(0x80 | (value % 128));
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

/** Seconds matter in certificates, milliseconds do not exist; years from 2050 need GeneralizedTime (RFC 5280 4.1.2.5). */
export function derTime(date: Date): Buffer {
  const digits = date.toISOString().replace(/\.\d+Z$/, "Z").replaceAll(/[-:T]/g, "");
  return date.getUTCFullYear() < 2050 ? der(TAG.utcTime, Buffer.from(digits.slice(2))) : der(TAG.generalizedTime, Buffer.from(digits));
}

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag and length included. */
  readonly raw: Buffer;
}

/** Reads the element at `offset`. Throws DerError. */
export function readDer(bytes: Buffer, offset = 0): DerElement {
  const tag = bytes[offset], first = bytes[offset + 1];
  if (tag === undefined || first === undefined) throw new DerError(`Cannot read DER at byte ${offset}: the input ends`);
  if ((tag & 0x1f) === 0x1f) throw new DerError(`Cannot read DER at byte ${offset}: tags of several bytes are not used in certificates`);
  let length = first, start = offset + 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 4) throw new DerError(`Cannot read DER at byte ${offset}: a length of ${count} bytes`);
    length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += count;
  }
  if (start + length > bytes.length) throw new DerError(`Cannot read DER at byte ${offset}: ${length} bytes announced, ${bytes.length - start} left`);
  return { tag, content: bytes.subarray(start, start + length), raw: bytes.subarray(offset, start + length) };
}

/** The members of a SEQUENCE, SET or constructed element. Throws DerError. */
export function readDerMembers(content: Buffer): DerElement[] {
  const members: DerElement[] = [];
  for (let offset = 0; offset < content.length;) {
    const member = readDer(content, offset);
    members.push(member);
    offset += member.raw.length;
  }
  return members;
}

/** Dotted form of an OBJECT IDENTIFIER's content. */
export function readOid(content: Buffer): string {
  const parts: number[] = [];
  let value = 0;
  for (const byte of content) {
    value = value * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) { parts.push(value); value = 0; }
  }
  const head = parts.shift() ?? 0, first = Math.min(2, Math.floor(head / 40));
  return [first, head - first * 40, ...parts].join(".");
}
