/**
 * YAML bodies: parsed by the package `yaml`, read into the same tree as JSON, plain words taken for what Go's parser takes them.
 * Counterpart: `sigs.k8s.io/yaml` (YAML 1.1 words such as `yes` and `0777`).
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, Scalar, type Document, type ParsedNode } from "yaml";
import type { JsonNode } from "./json-node.ts";
import { DEPTH_MAX } from "./scan.ts";

/** A text that is no YAML. */
export class YamlError extends Error { override readonly name = "YamlError"; }

/** Aliases may multiply a small text into a huge tree. */
const NODES_MAX = 1_000_000;
const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const NULL = /^(?:~|null|Null|NULL|)$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** What an unquoted word means. */
export function readPlainWord(word: string): JsonNode {
  if (NULL.test(word)) return { kind: "null" };
  if (TRUE.test(word)) return { kind: "bool", value: true };
  if (FALSE.test(word)) return { kind: "bool", value: false };
  const digits = word.replaceAll("_", ""), sign = digits.startsWith("-") ? "-" : "", magnitude = digits.replace(/^[-+]/, "");
  if (/^(?:0|[1-9][0-9]*)$/.test(magnitude)) return { kind: "number", text: sign + magnitude };
  if (/^0[0-7]+$/.test(magnitude)) return { kind: "number", text: sign + BigInt(`0o${magnitude.slice(1)}`).toString() };
  if (/^0(?:x[0-9a-fA-F]+|b[01]+|o[0-7]+)$/.test(magnitude)) return { kind: "number", text: sign + BigInt(magnitude).toString() };
  if (FLOAT.test(digits)) {
    const value = Number(digits);
    if (Number.isFinite(value)) return { kind: "number", text: String(value) };
  }
  return { kind: "string", text: word };
}

class Reader {
  readonly duplicates: string[] = [];
  readonly #document: Document.Parsed;
  readonly #lines: LineCounter;
  #nodes = 0;
  constructor(document: Document.Parsed, lines: LineCounter) { this.#document = document; this.#lines = lines; }

  read(node: ParsedNode | null | undefined, depth: number): JsonNode {
    if (++this.#nodes > NODES_MAX || depth > DEPTH_MAX) throw new YamlError("yaml: document contains excessive aliasing");
    if (node === null || node === undefined) return { kind: "null" };
    if (isAlias(node)) return this.read(node.resolve(this.#document) as ParsedNode | undefined, depth + 1);
    if (isScalar(node)) {
      if (node.tag === "tag:yaml.org,2002:binary") return { kind: "string", text: Buffer.from(String(node.source ?? node.value), "base64").toString("utf8") };
      return node.type === Scalar.PLAIN && node.tag === undefined ? readPlainWord(node.source ?? "") : { kind: "string", text: String(node.value) };
    }
    if (isSeq(node)) return { kind: "array", items: node.items.map((item) => this.read(item, depth + 1)) };
    if (!isMap(node)) throw new YamlError("yaml: unknown node");
    const keys: string[] = [], known = new Set<string>(), values: JsonNode[] = [], bases: (ParsedNode | null)[] = [];
    for (const pair of node.items) {
      const key = this.read(pair.key, depth + 1), text = key.kind === "null" ? "null" : key.kind === "bool" ? String(key.value) : key.kind === "string" || key.kind === "number" ? key.text : "";
      if (text === "<<") bases.push(pair.value);
      else {
        const line = this.#lines.linePos(pair.key.range[0]).line;
        if (known.has(text)) this.duplicates.push(`line ${line}: key ${JSON.stringify(text)} already set in map`);
        known.add(text);
        keys.push(text);
        values.push(this.read(pair.value, depth + 1));
      }
    }
    for (const base of bases) this.#merge(base, keys, known, values, depth); // Last: what is set here counts.
    return { kind: "object", keys, values };
  }

  /** `<<: *base`: keys of the base that are not set here. */
  #merge(value: ParsedNode | null, keys: string[], known: Set<string>, values: JsonNode[], depth: number): void {
    const base = this.read(value, depth + 1);
    for (const one of base.kind === "array" ? base.items : [base]) {
      if (one.kind !== "object") throw new YamlError("yaml: map merge requires map or sequence of maps as the value");
      one.keys.forEach((key, i) => {
        if (known.has(key)) return;
        known.add(key);
        keys.push(key);
        values.push(one.values[i]!);
      });
    }
  }
}

/** Drops the first of keys set twice: YAML bodies are read as their converted JSON, where the last one stays. */
function lastWins(node: JsonNode): JsonNode {
  if (node.kind === "array") return { ...node, items: node.items.map(lastWins) };
  if (node.kind !== "object") return node;
  const last = new Map(node.keys.map((key, i) => [key, lastWins(node.values[i]!)]));
  return { kind: "object", keys: [...last.keys()], values: [...last.values()] };
}

/** What a reader that goes no further than a key set twice says of all of them. */
export const duplicatesError = (duplicates: readonly string[]): string => ["yaml: unmarshal errors:", ...duplicates].join("\n  ");

/** Parses the first document of a YAML text, with upstream's words for keys set twice, one each. Throws YamlError. */
export function parseYaml(text: string): { node: JsonNode; duplicates: string[] } {
  try { return parseDocumentOf(text); }
  catch (error) {
    if (error instanceof RangeError) throw new YamlError("yaml: exceeded max depth", { cause: error });
    throw error;
  }
}

function parseDocumentOf(text: string): { node: JsonNode; duplicates: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: "failsafe", uniqueKeys: false, merge: false, lineCounter: lines, logLevel: "silent" });
  const error = document.errors[0];
  if (error !== undefined) throw new YamlError(`yaml: line ${error.linePos?.[0].line ?? 1}: ${error.message.split("\n")[0]!.replace(/ at line .*$/, "")}`);
  const reader = new Reader(document, lines), node = lastWins(reader.read(document.contents, 0));
  return { node, duplicates: reader.duplicates };
}
