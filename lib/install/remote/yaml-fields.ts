/**
 * Reading a YAML file a person wrote into a type, with every mistake told where it stands: pure.
 *
 * Promises: each mistake names file, line, column, field, what was found and what is expected; all mistakes of a file come together; a field
 * nobody knows is refused, with the nearest known name. Counterpart: apimachinery's strict decoding, which knows no lines.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from "yaml";

export class FileError extends Error { override readonly name = "FileError"; }

/** Where a reader notes what is wrong. */
export interface Mistakes {
  /** Notes a mistake at `node` (the beginning of the file without one). */
  add(node: Node | undefined, field: string, found: string, expected: string): void;
}

/** Reads one node; undefined when it noted a mistake. `field` is the path as people write it: `hosts[1].port`. */
export type Read<T> = (node: Node, field: string, mistakes: Mistakes) => T | undefined;

const FOUND_MAX_CHARACTERS = 60;
/** What stands there, in few words. */
export function describe(node: Node): string {
  if (isMap(node)) return "a mapping";
  if (isSeq(node)) return "a list";
  if (isAlias(node)) return `the alias *${node.source}`;
  const value = isScalar(node) ? node.value : undefined;
  if (value === null || value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > FOUND_MAX_CHARACTERS ? `${text.slice(0, FOUND_MAX_CHARACTERS)}…` : text;
}

/** A text; numbers and the like must be quoted. `accept` says whether the text will do. */
export const text = (expected = "a text", accept: (value: string) => boolean = (value) => value !== ""): Read<string> => (node, field, mistakes) => {
  if (isScalar(node) && typeof node.value === "string" && accept(node.value)) return node.value;
  mistakes.add(node, field, describe(node), expected);
  return undefined;
};

export const integer = (min: number, max: number): Read<number> => (node, field, mistakes) => {
  if (isScalar(node) && typeof node.value === "number" && Number.isInteger(node.value) && node.value >= min && node.value <= max) return node.value;
  mistakes.add(node, field, describe(node), `a whole number from ${min} to ${max}`);
  return undefined;
};

export const flag: Read<boolean> = (node, field, mistakes) => {
  if (isScalar(node) && typeof node.value === "boolean") return node.value;
  mistakes.add(node, field, describe(node), "true or false");
  return undefined;
};

export const oneOf = <const T extends string>(...values: readonly T[]): Read<T> => (node, field, mistakes) => {
  const found = isScalar(node) ? values.find((value) => value === node.value) : undefined;
  if (found === undefined) mistakes.add(node, field, describe(node), values.length === 1 ? values[0]! : `${values.slice(0, -1).join(", ")} or ${values.at(-1)!}`);
  return found;
};

/** What `read` reads, turned by `turn`; what that throws is the mistake. */
export const turned = <A, B>(read: Read<A>, expected: string, turn: (value: A) => B | undefined): Read<B> => (node, field, mistakes) => {
  const value = read(node, field, mistakes);
  if (value === undefined) return undefined;
  const result = turn(value);
  if (result === undefined) mistakes.add(node, field, describe(node), expected);
  return result;
};

export const listOf = <T>(item: Read<T>, expected = "a list"): Read<readonly T[]> => (node, field, mistakes) => {
  if (!isSeq(node)) { mistakes.add(node, field, describe(node), expected); return undefined; }
  return node.items.flatMap((each, i) => item(each as Node, `${field}[${i}]`, mistakes) ?? []);
};

const keyOf = (pair: Pair): string => (isScalar(pair.key) ? String(pair.key.value) : "");
const isEmpty = (node: Node | null): boolean => node === null || (isScalar(node) && node.value === null);

/** A mapping from names that `acceptKey` takes to texts. */
export const textMap = (acceptKey: (key: string) => boolean, expectedKey: string, value: Read<string>): Read<Readonly<Record<string, string>>> => (node, field, mistakes) => {
  if (!isMap(node)) { mistakes.add(node, field, describe(node), "a mapping"); return undefined; }
  const result: Record<string, string> = {};
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    const key = keyOf(pair);
    if (!acceptKey(key)) { mistakes.add(pair.key, `${field}.${key}`, JSON.stringify(key), expectedKey); continue; }
    const read = value(pair.value ?? pair.key, `${field}.${key}`, mistakes);
    if (read !== undefined) result[key] = read;
  }
  return result;
};

/** A field of a mapping; `fallback` stands for one that is left out or empty. */
export interface Field<T> { readonly read: Read<T>; readonly required: boolean; readonly fallback: T | undefined; readonly expected: string }
export const required = <T>(read: Read<T>, expected: string): Field<T> => ({ read, required: true, fallback: undefined, expected });
export const optional = <T>(read: Read<T>): Field<T | undefined> => ({ read, required: false, fallback: undefined, expected: "" });
export const withDefault = <T>(read: Read<T>, fallback: T): Field<T> => ({ read, required: false, fallback, expected: "" });
type FieldValues<F> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** How many letters lie between two words (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
/** The name most like `word`, if one is like it at all. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const [best] = names.map((name) => ({ name, far: distance(word.toLowerCase(), name.toLowerCase()) })).toSorted((a, b) => a.far - b.far);
  return best !== undefined && best.far <= Math.max(2, Math.floor(word.length / 3)) ? best.name : undefined;
}

/** A mapping with exactly these fields. Undefined when a required one is missing or wrong. */
export const mapping = <F extends Record<string, Field<unknown>>>(fields: F): Read<FieldValues<F>> => (node, field, mistakes) => {
  if (!isMap(node)) { mistakes.add(node, field, describe(node), `a mapping with ${Object.keys(fields).join(", ")}`); return undefined; }
  const inside = (name: string): string => (field === "" ? name : `${field}.${name}`), known = Object.keys(fields);
  const pairs = (node as YAMLMap<Node, Node | null>).items, values: Record<string, unknown> = {}, meant = new Set<string>();
  let whole = true;
  for (const pair of pairs) {
    const name = keyOf(pair);
    if (known.includes(name)) continue;
    const like = nearest(name, known.filter((each) => !pairs.some((other) => keyOf(other) === each)));
    if (like !== undefined) meant.add(like);
    mistakes.add(pair.key, inside(name), "a field that does not exist here", like === undefined ? `one of ${known.join(", ")}` : JSON.stringify(like));
  }
  for (const [name, { read, required: must, fallback, expected }] of Object.entries(fields)) {
    const pair = pairs.find((each) => keyOf(each) === name), value = pair?.value ?? null;
    if (pair === undefined || isEmpty(value)) {
      values[name] = fallback;
      if (must) whole = false;
      if (must && !meant.has(name)) mistakes.add(pair?.key ?? node, inside(name), "nothing", expected);
      continue;
    }
    values[name] = read(value!, inside(name), mistakes);
    if (values[name] === undefined && must) whole = false;
  }
  return whole ? values as FieldValues<F> : undefined;
};

/** Reads a whole file; `check` may note mistakes that only show in the whole. Throws FileError with every mistake, a line each. */
export function readYaml<T>(source: string, fileName: string, read: Read<T>, check: (value: T, at: (...path: (string | number)[]) => Node | undefined, mistakes: Mistakes) => void): T {
  const lines = new LineCounter(), document = parseDocument(source, { lineCounter: lines, uniqueKeys: true, prettyErrors: false }), found: { offset: number; message: string }[] = [];
  const place = (offset: number): string => { const { line, col } = lines.linePos(offset); return `${fileName}:${Math.max(1, line)}:${Math.max(1, col)}`; };
  const mistakes: Mistakes = { add(node, field, what, expected) { found.push({ offset: node?.range?.[0] ?? 0, message: `${field === "" ? "" : `${field}: `}found ${what}, expected ${expected}` }); } };
  for (const error of document.errors) found.push({ offset: error.pos[0], message: error.code === "DUPLICATE_KEY" ? "found a field for the second time, expected it once" : `found what is no YAML (${error.message.split("\n")[0]!.replace(/\.$/, "")}), expected YAML` });
  let value: T | undefined;
  if (found.length === 0) {
    if (document.contents === null) mistakes.add(undefined, "", "an empty file", 'a cluster; "kaji config new" writes one');
    else value = read(document.contents as Node, "", mistakes);
    if (value !== undefined && found.length === 0) check(value, (...path) => document.getIn(path, true) as Node | undefined, mistakes);
  }
  if (value === undefined || found.length > 0) {
    throw new FileError(`Cannot use ${fileName}:\n${found.toSorted((a, b) => a.offset - b.offset).map(({ offset, message }) => `  ${place(offset)}: ${message}`).join("\n")}`);
  }
  return value;
}
