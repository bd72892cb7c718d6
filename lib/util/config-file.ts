/**
 * Configuration files: YAML documents whose every field is taken or named in the error, with its line.
 *
 * Promises: a field nobody knows, one given twice and one of the wrong type are refused, and the message says file, line, field, what was
 * found and what is expected. Counterpart: strict decoding of `k8s.io/component-base/config`, which names fields but no lines.
 */
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node } from "yaml";
import { parseDurationMs } from "./flags.ts";
import { nearest } from "./nearest.ts";

/** The file cannot be used as it is: nothing helps but to change it. */
export class ConfigError extends Error { override readonly name = "ConfigError"; }

type Path = readonly (string | number)[];
const pathText = (path: Path): string => path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i === 0 ? "" : "."}${part}`)).join("");
const shown = (value: unknown): string => { const text = JSON.stringify(value) ?? "nothing"; return text.length > 60 ? `${text.slice(0, 57)}...` : text; };

/** One document of a file. */
export class ConfigDocument {
  readonly file: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly #document: Document;
  readonly #lines: LineCounter;
  constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.#document = document;
    this.#lines = lines;
    if (!isMap(document.contents)) throw this.error([], `expected fields as "name: value", found ${shown(document.toJS())}`);
    this.value = document.toJS() as Record<string, unknown>;
  }

  /** Where the field stands, counted from 1; for one that is absent, where it should be. */
  lineOf(path: Path): number {
    let node: Node | null | undefined = this.#document.contents as Node | null, offset = node?.range?.[0] ?? 0;
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
        if (pair === undefined) break;
        offset = (pair.key as Node).range?.[0] ?? offset;
        node = pair.value as Node | null;
      } else if (isSeq(node) && typeof part === "number") {
        node = node.items[part] as Node | undefined;
        offset = node?.range?.[0] ?? offset;
      } else break;
    }
    return this.#lines.linePos(offset).line;
  }

  error(path: Path, message: string): ConfigError { return new ConfigError(`Cannot use ${this.file}, line ${this.lineOf(path)}: ${message}`); }
  unknown(path: Path, known: Iterable<string>): ConfigError {
    const guess = nearest(String(path.at(-1)), known);
    return this.error(path, `unknown field "${pathText(path)}"${guess === undefined ? "" : `; did you mean "${guess}"?`}`);
  }
  wrong(path: Path, expected: string, found: unknown): ConfigError { return this.error(path, `field "${pathText(path)}" must be ${expected}, found ${shown(found)}`); }
  /** Everything in the document, to read field by field. */
  section(): ConfigSection { return new ConfigSection(this, []); }
}

/** Parses a file's text. Empty documents do not count. Throws ConfigError. */
export function parseConfig(text: string, file: string): ConfigDocument[] {
  const lines = new LineCounter(), documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new ConfigError(`Cannot use ${file}, line ${lines.linePos(error.pos[0]).line}: ${error.message.split("\n")[0]}`);
    return document.contents === null || (isScalar(document.contents) && document.contents.value === null) ? [] : [new ConfigDocument(file, document as Document, lines)];
  });
}

const KINDS = {
  string: { expected: "text", fits: (value: unknown): value is string => typeof value === "string" },
  integer: { expected: "a whole number", fits: (value: unknown): value is number => Number.isSafeInteger(value) },
  number: { expected: "a number", fits: (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) },
  boolean: { expected: "true or false", fits: (value: unknown): value is boolean => typeof value === "boolean" },
  strings: { expected: "a list of texts", fits: (value: unknown): value is string[] => Array.isArray(value) && value.every((each) => typeof each === "string") },
  list: { expected: "a list", fits: (value: unknown): value is unknown[] => Array.isArray(value) },
  texts: { expected: "texts by name", fits: (value: unknown): value is Record<string, string> => isObject(value) && Object.values(value).every((each) => typeof each === "string") },
} as const;
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
type Kind = keyof typeof KINDS;
type KindValue<K extends Kind> = K extends "string" ? string : K extends "boolean" ? boolean : K extends "strings" ? string[] : K extends "list" ? unknown[] : K extends "texts" ? Record<string, string> : number;

/** Fields of a mapping, read one by one; `finish` refuses those nobody asked for. A field that is null is absent, as upstream has it. */
export class ConfigSection {
  readonly #document: ConfigDocument;
  readonly #path: Path;
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #known = new Set<string>();
  readonly #sections: ConfigSection[] = [];
  constructor(document: ConfigDocument, path: Path, fields: Readonly<Record<string, unknown>> = document.value) {
    this.#document = document;
    this.#path = path;
    this.#fields = fields;
  }
  #value(name: string): unknown { this.#known.add(name); return Object.hasOwn(this.#fields, name) ? this.#fields[name] ?? undefined : undefined; }

  get<K extends Kind>(name: string, kind: K): KindValue<K> | undefined;
  get<K extends Kind, F>(name: string, kind: K, fallback: F): KindValue<K> | F;
  get(name: string, kind: Kind, fallback?: unknown): unknown {
    const value = this.#value(name);
    if (value === undefined) return fallback;
    if (!KINDS[kind].fits(value)) throw this.#document.wrong([...this.#path, name], KINDS[kind].expected, value);
    return value;
  }
  /** One of a few texts. */
  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const text = this.get(name, "string", fallback);
    const found = choices.find((each) => each === text);
    if (found === undefined) throw this.#document.wrong([...this.#path, name], choices.join(" or "), text);
    return found;
  }
  /** A duration such as `1m30s`, in milliseconds. */
  durationMs<F>(name: string, fallback: F): number | F {
    const text = this.#value(name);
    if (text === undefined) return fallback;
    try {
      if (typeof text !== "string") throw new TypeError("not text");
      return parseDurationMs(text);
    } catch { throw this.#document.wrong([...this.#path, name], "a duration such as 1m30s", text); }
  }
  section(name: string): ConfigSection {
    const value = this.#value(name) ?? {};
    if (!isObject(value)) throw this.#document.wrong([...this.#path, name], "fields below it", value);
    const section = new ConfigSection(this.#document, [...this.#path, name], value);
    this.#sections.push(section);
    return section;
  }
  /** Refuses a field whose value cannot be used. */
  fail(name: string, expected: string): ConfigError { return this.#document.wrong([...this.#path, name], expected, this.#fields[name]); }
  /** Refuses fields nobody asked for, unless they are in `unused`; returns the names of those that are. Sections below do the same first. */
  finish(unused: Iterable<string> = []): string[] {
    const idle = new Set(unused), found: string[] = this.#sections.flatMap((section) => section.finish());
    for (const [name, value] of Object.entries(this.#fields)) {
      if (this.#known.has(name)) continue;
      if (!idle.has(name)) throw this.#document.unknown([...this.#path, name], [...this.#known, ...idle]);
      if (value !== null && value !== "" && value !== 0 && value !== "0s" && value !== false && JSON.stringify(value) !== "{}") found.push(pathText([...this.#path, name]));
    }
    for (const name of Object.keys(this.#fields)) this.#known.add(name);
    return found;
  }
}
