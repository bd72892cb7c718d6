/**
 * DNS messages on the wire: reading questions and writing answers (RFC 1035, RFC 6891).
 *
 * Promises: a message that is no proper query gives a reason, never an exception; the question is sent back byte for byte, so a
 * client that mixes upper and lower case finds it again; names of records are compressed, so that fifty addresses fit a datagram;
 * what does not fit the client's size is cut to the answers that do, with the truncation bit: a client asks again over TCP, or, where
 * it never does (busybox, older musl), makes do with these.
 */
import { decode, type OptAnswer } from "dns-packet";
import { parseIp } from "../util/ip.ts";
import { TYPE, type Answer, type ResourceRecord } from "./record.ts";

export interface Query {
  readonly id: number;
  /** In lower case, without the last dot; "" is the root. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  /** Set when the client speaks EDNS. */
  readonly edns: { readonly payloadBytes: number; readonly dnssecOk: boolean; readonly version: number } | undefined;
  /** The whole query, and its question section alone. */
  readonly raw: Buffer;
  readonly question: Buffer;
}

export type ParsedQuery = { readonly kind: "query"; readonly query: Query } | { readonly kind: "error"; readonly rcode: number } | { readonly kind: "ignore" };

const HEADER_BYTES = 12, OPCODE_MASK = 0x7800, QR = 0x8000, AA = 0x0400, TC = 0x0200, RD = 0x0100, RA = 0x0080, CD = 0x0010;
const UDP_BYTES_DEFAULT = 512;
/** The largest datagram sent: it passes every link without being cut in pieces (DNS flag day 2020). */
export const UDP_BYTES_MAX = 1_232;
export const TCP_BYTES_MAX = 65_535;
const POINTER = 0xc000, POINTER_MAX = 0x3fff;

/** Reads a query. Answers (which might be reflected) and scraps are to be ignored. */
export function parseQuery(raw: Buffer): ParsedQuery {
  if (raw.length < HEADER_BYTES) return { kind: "ignore" };
  const flags = raw.readUInt16BE(2);
  if ((flags & QR) !== 0) return { kind: "ignore" };
  if ((flags & OPCODE_MASK) !== 0) return { kind: "error", rcode: 4 };
  if (raw.readUInt16BE(4) !== 1) return { kind: "error", rcode: 1 };
  const end = skipName(raw, HEADER_BYTES, false);
  if (end === undefined || end + 4 > raw.length) return { kind: "error", rcode: 1 };
  let packet;
  try { packet = decode(raw); }
  catch { return { kind: "error", rcode: 1 }; }
  const opt = packet.additionals?.find((record): record is OptAnswer => record.type === "OPT");
  return {
    kind: "query",
    query: {
      id: packet.id ?? 0, name: (packet.questions?.[0]?.name ?? "").toLowerCase().replace(/^\.$/, ""), type: raw.readUInt16BE(end), class: raw.readUInt16BE(end + 2),
      recursionDesired: (flags & RD) !== 0, checkingDisabled: (flags & CD) !== 0, raw, question: raw.subarray(HEADER_BYTES, end + 4),
      edns: opt === undefined ? undefined : { payloadBytes: opt.udpPayloadSize, dnssecOk: opt.flag_do, version: opt.ednsVersion },
    },
  };
}

/** Bytes an answer may have for this client. */
export const sizeLimit = (query: Query, transport: "udp" | "tcp"): number =>
  (transport === "tcp" ? TCP_BYTES_MAX : Math.min(UDP_BYTES_MAX, Math.max(UDP_BYTES_DEFAULT, query.edns?.payloadBytes ?? UDP_BYTES_DEFAULT)));

/** The answer's bytes, truncated to `limit` when need be. */
export function encodeAnswer(query: Query, answer: Answer, limit: number): Buffer {
  const whole = new MessageWriter(query, answer).write(answer.answers, answer.authorities ?? [], answer.additionals ?? [], false);
  if (whole.length <= limit) return whole;
  const withoutAdditionals = new MessageWriter(query, answer).write(answer.answers, answer.authorities ?? [], [], false);
  return withoutAdditionals.length <= limit ? withoutAdditionals : encodeTruncated(query, answer, limit);
}

/** As many answers as fit, found by halving. */
function encodeTruncated(query: Query, answer: Answer, limit: number): Buffer {
  const write = (count: number): Buffer => new MessageWriter(query, answer).write(answer.answers.slice(0, count), [], [], true);
  let fits = write(0);
  for (let low = 1, high = answer.answers.length; low <= high;) {
    const count = (low + high) >> 1, bytes = write(count);
    if (bytes.length > limit) high = count - 1;
    else { fits = bytes; low = count + 1; }
  }
  return fits;
}

/** An answer without a readable question. */
export function encodeError(raw: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  raw.copy(header, 0, 0, 2);
  header.writeUInt16BE(QR | (raw.readUInt16BE(2) & (OPCODE_MASK | RD)) | rcode, 2);
  return header;
}

/** Cuts an answer of an upstream to the question, with the truncation bit. */
export function truncate(answer: Buffer, query: Query): Buffer {
  const header = Buffer.from(answer.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(header.readUInt16BE(2) | TC, 2);
  header.writeUInt16BE(1, 4);
  header.fill(0, 6);
  return Buffer.concat([header, query.question]);
}

/** The offset behind the name at `offset`; undefined when it is broken or, unless allowed, compressed. */
export function skipName(buffer: Buffer, offset: number, pointers: boolean): number | undefined {
  for (let at = offset; at < buffer.length;) {
    const length = buffer[at]!;
    if (length === 0) return at + 1;
    if ((length & 0xc0) === 0xc0) return pointers && at + 1 < buffer.length ? at + 2 : undefined;
    if (length > 63) return undefined;
    at += length + 1;
  }
  return undefined;
}

class MessageWriter {
  readonly #query: Query;
  readonly #answer: Answer;
  readonly #chunks: Buffer[] = [];
  readonly #offsets = new Map<string, number>();
  #length = 0;

  constructor(query: Query, answer: Answer) {
    this.#query = query;
    this.#answer = answer;
  }

  write(answers: readonly ResourceRecord[], authorities: readonly ResourceRecord[], additionals: readonly ResourceRecord[], truncated: boolean): Buffer {
    const query = this.#query, header = Buffer.alloc(HEADER_BYTES);
    const flags = QR | RA | (this.#answer.authoritative ? AA : 0) | (truncated ? TC : 0) | (query.recursionDesired ? RD : 0) | (query.checkingDisabled ? CD : 0) | this.#answer.rcode;
    for (const [i, value] of [query.id, flags, 1, answers.length, authorities.length, additionals.length + (query.edns === undefined ? 0 : 1)].entries()) header.writeUInt16BE(value, i * 2);
    this.#push(header);
    this.#note(query.name, HEADER_BYTES);
    this.#push(query.question);
    for (const record of [...answers, ...authorities, ...additionals]) this.#record(record);
    if (query.edns !== undefined) this.#push(optRecord(query.edns.dnssecOk));
    return Buffer.concat(this.#chunks, this.#length);
  }

  #push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
  }

  /** Remembers where the name and its endings are written, for later pointers. */
  #note(name: string, offset: number): void {
    for (let at = offset, rest = name; rest !== "" && at <= POINTER_MAX;) {
      if (!this.#offsets.has(rest)) this.#offsets.set(rest, at);
      const dot = rest.indexOf("."), label = dot < 0 ? rest : rest.slice(0, dot);
      at += Buffer.byteLength(label) + 1;
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
  }

  /** A name, its known ending as a pointer. `base` is where it will stand. */
  #name(name: string, base: number): Buffer {
    const parts: Buffer[] = [];
    let rest = name, length = 0;
    while (rest !== "") {
      const known = this.#offsets.get(rest);
      if (known !== undefined) {
        const pointer = Buffer.alloc(2);
        pointer.writeUInt16BE(POINTER | known);
        parts.push(pointer);
        this.#note(name, base);
        return Buffer.concat(parts);
      }
      const dot = rest.indexOf("."), label = Buffer.from(dot < 0 ? rest : rest.slice(0, dot));
      parts.push(Buffer.from([label.length]), label);
      length += label.length + 1;
      rest = dot < 0 ? "" : rest.slice(dot + 1);
    }
    this.#note(name, base);
    parts.push(Buffer.from([0]));
    return Buffer.concat(parts, length + 1);
  }

  #record(record: ResourceRecord): void {
    const name = this.#name(record.name, this.#length), fixed = Buffer.alloc(10);
    this.#push(name);
    const data = this.#data(record, this.#length + fixed.length);
    fixed.writeUInt16BE(TYPE[record.type], 0);
    fixed.writeUInt16BE(1, 2);
    fixed.writeUInt32BE(record.ttl, 4);
    fixed.writeUInt16BE(data.length, 8);
    this.#push(fixed);
    this.#push(data);
  }

  #data(record: ResourceRecord, base: number): Buffer {
    switch (record.type) {
      case "A": case "AAAA": return addressBytes(record.address);
      case "CNAME": case "PTR": case "NS": return this.#name(record.target, base);
      case "TXT": { const text = Buffer.from(record.text); return Buffer.concat([Buffer.from([text.length]), text]); }
      case "SRV": {
        const fixed = Buffer.alloc(6);
        for (const [i, value] of [record.priority, record.weight, record.port].entries()) fixed.writeUInt16BE(value, i * 2);
        return Buffer.concat([fixed, plainName(record.target)]); // RFC 2782: the target is not compressed.
      }
      case "SOA": {
        const mname = this.#name(record.mname, base), rname = this.#name(record.rname, base + mname.length), numbers = Buffer.alloc(20);
        for (const [i, value] of [record.serial, record.refresh, record.retry, record.expire, record.minimum].entries()) numbers.writeUInt32BE(value, i * 4);
        return Buffer.concat([mname, rname, numbers]);
      }
    }
  }
}

function plainName(name: string): Buffer {
  return Buffer.concat([...(name === "" ? [] : name.split(".")).map((label) => Buffer.concat([Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)])), Buffer.from([0])]);
}

function addressBytes(address: string): Buffer {
  const ip = parseIp(address)!;
  return Buffer.from(ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, "0"), "hex");
}

function optRecord(dnssecOk: boolean): Buffer {
  const opt = Buffer.alloc(11);
  opt.writeUInt16BE(TYPE.OPT, 1);
  opt.writeUInt16BE(UDP_BYTES_MAX, 3);
  opt.writeUInt32BE(dnssecOk ? 0x8000 : 0, 5);
  return opt;
}
