/**
 * The exact JSON parser: slow and faithful. Used when the quick path meets something odd, so that errors carry Go's
 * words and nothing is lost (repeated keys, digits, order).
 * Counterpart: `encoding/json`'s scanner.
 */
import type { JsonNode } from "./json-node.ts";
import { DEPTH_MAX } from "./scan.ts";

/** What is said of a text that nests beyond DEPTH_MAX. */
export const TOO_DEEP = "exceeded max depth";
/** A text that is no JSON; the message is Go's. */
export class JsonSyntaxError extends Error { override readonly name = "JsonSyntaxError"; }

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });
const END = "unexpected end of JSON input";
const WORDS = new Map<number, readonly [string, JsonNode]>([
  [0x74, ["true", { kind: "bool", value: true }]], [0x66, ["false", { kind: "bool", value: false }]], [0x6e, ["null", { kind: "null" }]],
]);
const ESCAPES: Record<string, string> = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

function quoteByte(byte: number): string {
  const c = String.fromCharCode(byte);
  if (c === "'") return "'\\''";
  if (c === '"') return "'\"'";
  if (byte >= 0x20 && byte < 0x7f) return c === "\\" ? "'\\\\'" : `'${c}'`;
  const named: Record<string, string> = { "\x07": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v" };
  if (named[c] !== undefined) return `'${named[c]}'`;
  if (byte < 0x20 || byte === 0x7f) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  return byte < 0xa1 || byte === 0xad ? `'\\u00${byte.toString(16)}'` : `'${c}'`;
}

class Parser {
  readonly #bytes: Uint8Array;
  #at = 0;
  #depth = 0;
  constructor(bytes: Uint8Array) { this.#bytes = bytes; }

  #fail(context: string): never {
    const byte = this.#bytes[this.#at];
    throw new JsonSyntaxError(byte === undefined ? END : `invalid character ${quoteByte(byte)} ${context}`);
  }
  #space(): number | undefined {
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
      this.#at++;
    }
  }
  #raw(start: number): string { return UTF8.decode(this.#bytes.subarray(start, this.#at)); }

  parse(): JsonNode {
    const value = this.#value();
    if (this.#space() !== undefined) this.#fail("after top-level value");
    return value;
  }

  #value(): JsonNode {
    const byte = this.#space() ?? 0;
    if (byte === 0x7b) return this.#object();
    if (byte === 0x5b) return this.#array();
    if (byte === 0x22) return { kind: "string", text: this.#string() };
    if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) return { kind: "number", text: this.#number() };
    const [word, value] = WORDS.get(byte) ?? this.#fail("looking for beginning of value");
    this.#literal(word);
    return value;
  }

  #enter(): void { if (++this.#depth > DEPTH_MAX) throw new JsonSyntaxError(TOO_DEEP); }

  #object(): JsonNode {
    this.#enter();
    this.#at++;
    const keys: string[] = [], values: JsonNode[] = [];
    if (this.#space() === 0x7d) this.#at++;
    else for (;;) {
      if (this.#space() !== 0x22) this.#fail("looking for beginning of object key string");
      keys.push(this.#string());
      if (this.#space() !== 0x3a) this.#fail("after object key");
      this.#at++;
      values.push(this.#value());
      const next = this.#space();
      if (next !== 0x2c && next !== 0x7d) this.#fail("after object key:value pair");
      this.#at++;
      if (next === 0x7d) break;
    }
    this.#depth--;
    return { kind: "object", keys, values };
  }

  #array(): JsonNode {
    this.#enter();
    this.#at++;
    const items: JsonNode[] = [];
    if (this.#space() === 0x5d) this.#at++;
    else for (;;) {
      items.push(this.#value());
      const next = this.#space();
      if (next !== 0x2c && next !== 0x5d) this.#fail("after array element");
      this.#at++;
      if (next === 0x5d) break;
    }
    this.#depth--;
    return { kind: "array", items };
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#bytes[this.#at] !== word.charCodeAt(i)) this.#fail(`in literal ${word} (expecting '${word[i]!}')`);
      this.#at++;
    }
  }

  #digits(context: string): void {
    const isDigit = (): boolean => { const byte = this.#bytes[this.#at]; return byte !== undefined && byte >= 0x30 && byte <= 0x39; };
    if (!isDigit()) this.#fail(context);
    while (isDigit()) this.#at++;
  }

  #number(): string {
    const start = this.#at;
    if (this.#bytes[this.#at] === 0x2d) this.#at++;
    if (this.#bytes[this.#at] === 0x30) this.#at++;
    else this.#digits("in numeric literal");
    if (this.#bytes[this.#at] === 0x2e) { this.#at++; this.#digits("after decimal point in numeric literal"); }
    if (this.#bytes[this.#at] === 0x65 || this.#bytes[this.#at] === 0x45) {
      this.#at++;
      if (this.#bytes[this.#at] === 0x2b || this.#bytes[this.#at] === 0x2d) this.#at++;
      this.#digits("in exponent of numeric literal");
    }
    return this.#raw(start);
  }

  #string(): string {
    let start = ++this.#at, text = "";
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined || byte < 0x20) this.#fail("in string literal");
      if (byte === 0x22) {
        text += this.#raw(start);
        this.#at++;
        return text.toWellFormed();
      }
      if (byte !== 0x5c) { this.#at++; continue; }
      text += this.#raw(start);
      this.#at++;
      text += this.#escape();
      start = this.#at;
    }
  }

  #escape(): string {
    const byte = this.#bytes[this.#at], c = byte === undefined ? "" : String.fromCharCode(byte);
    if (c !== "u") {
      if (!Object.hasOwn(ESCAPES, c)) this.#fail("in string escape code");
      this.#at++;
      return ESCAPES[c]!;
    }
    this.#at++;
    const start = this.#at;
    for (; this.#at < start + 4; this.#at++) {
      if (!/^[0-9a-fA-F]$/.test(String.fromCharCode(this.#bytes[this.#at] ?? 0))) this.#fail("in \\u hexadecimal character escape");
    }
    return String.fromCharCode(Number.parseInt(this.#raw(start), 16));
  }
}

/** Parses JSON bytes; bad UTF-8 reads as U+FFFD, as Go reads it. Throws JsonSyntaxError. */
export function parseJson(bytes: Uint8Array): JsonNode {
  try { return new Parser(bytes).parse(); }
  catch (error) {
    if (error instanceof RangeError) throw new JsonSyntaxError(TOO_DEEP, { cause: error }); // Our stack ended first.
    throw error;
  }
}
