/**
 * JSON patch (RFC 6902) with the words and liberties of the library upstream uses: negative indexes count from the end,
 * `replace` of a missing key adds it.
 * Counterpart: `gopkg.in/evanphx/json-patch.v4`.
 */
import { cloneJson, getOwn, isList, isMap, jsonEqual, type JsonMap } from "./json-value.ts";
import { setOwn } from "../decode/json-node.ts";

/** A patch that does not apply. */
export class JsonPatchError extends Error { override readonly name = "JsonPatchError"; }

export const OPERATIONS_MAX = 10_000;
/** What all `copy` operations of a patch may add. */
const COPY_BYTES_MAX = 3 * 1024 * 1024;

type Container = JsonMap | unknown[];
const MISSING = "missing value";
const fail = (text: string, cause: string): never => { throw new JsonPatchError(`${text}: ${cause}`); };
const causeOf = (error: unknown): string => { if (error instanceof JsonPatchError) return error.message; throw error; };
const unescapeKey = (key: string): string => key.replaceAll("~1", "/").replaceAll("~0", "~");

/** Index of an existing item, or (for `add`) of the place after the last. */
function indexOf(list: unknown[], key: string, beyond: 0 | 1): number {
  if (!/^[-+]?[0-9]+$/.test(key)) throw new JsonPatchError(`strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  const index = Number(key), length = list.length + beyond;
  if (index >= length || index < -length) fail(`Unable to access invalid index: ${index}`, "invalid index referenced");
  return index < 0 ? index + length : index;
}

const read = (container: Container, key: string): unknown => (isList(container) ? container[indexOf(container, key, 0)] : getOwn(container, key));

function write(container: Container, key: string, value: unknown): void {
  if (isList(container)) container[indexOf(container, key, 0)] = value;
  else setOwn(container, key, value);
}

function add(container: Container, key: string, value: unknown): void {
  if (!isList(container)) return setOwn(container, key, value);
  if (key === "-") return void container.push(value);
  if (!/^[-+]?[0-9]+$/.test(key)) fail(`value was not a proper array index: '${key}'`, `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`);
  container.splice(indexOf(container, key, 1), 0, value);
}

function remove(container: Container, key: string): void {
  if (isList(container)) container.splice(indexOf(container, key, 0), 1);
  else if (Object.hasOwn(container, key)) delete container[key];
  else fail(`Unable to remove nonexistent key: ${key}`, MISSING);
}

/** The container that holds the last part of `path`, and that part. */
function find(document: Container, path: string): { container: Container; key: string } | undefined {
  const parts = path.split("/");
  if (parts.length < 2) return undefined;
  let container = document;
  for (const part of parts.slice(1, -1)) {
    let next: unknown;
    try { next = read(container, unescapeKey(part)); }
    catch (error) { void causeOf(error); return undefined; }
    if (!isList(next) && !isMap(next)) return undefined;
    container = next;
  }
  return { container, key: unescapeKey(parts.at(-1)!) };
}

function textField(operation: JsonMap, name: "path" | "from"): string {
  const value = getOwn(operation, name);
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return fail(name === "path" ? "operation missing path field" : "operation, missing from field", MISSING);
  throw new JsonPatchError("json: cannot unmarshal value into Go value of type string");
}

function decodeField(operation: JsonMap, name: "path" | "from", kind: string, hidesCause: boolean): string {
  try { return textField(operation, name); }
  catch (error) { return fail(`${kind} operation failed to decode ${name}`, hidesCause ? MISSING : causeOf(error)); }
}

function attempt<T>(what: string, work: () => T): T {
  try { return work(); }
  catch (error) { return fail(what, causeOf(error)); }
}

/** One patch under way. */
class Patching {
  document: Container;
  #copiedBytes = 0;
  constructor(document: Container) { this.document = document; }

  apply(operation: JsonMap): void {
    const kind = getOwn(operation, "op");
    switch (kind) {
      case "add": return this.#add(operation);
      case "remove": return this.#remove(operation);
      case "replace": return this.#replace(operation);
      case "move": return this.#move(operation);
      case "copy": return this.#copy(operation);
      case "test": return this.#test(operation);
      default: throw new JsonPatchError(`Unexpected kind: ${typeof kind === "string" ? kind : "unknown"}`);
    }
  }

  #add(operation: JsonMap): void {
    const path = decodeField(operation, "path", "add", true), place = find(this.document, path);
    if (place === undefined) return fail(`add operation does not apply: doc is missing path: "${path}"`, MISSING);
    attempt(`error in add for path: '${path}'`, () => add(place.container, place.key, getOwn(operation, "value") ?? null));
  }

  #remove(operation: JsonMap): void {
    const path = decodeField(operation, "path", "remove", true), place = find(this.document, path);
    if (place === undefined) return fail(`remove operation does not apply: doc is missing path: "${path}"`, MISSING);
    attempt(`error in remove for path: '${path}'`, () => remove(place.container, place.key));
  }

  #replace(operation: JsonMap): void {
    const path = decodeField(operation, "path", "replace", false), value = getOwn(operation, "value") ?? null;
    if (path === "") {
      if (!isMap(value) && !isList(value)) throw new JsonPatchError("replace operation value must be object or array");
      this.document = value;
      return;
    }
    const place = find(this.document, path);
    if (place === undefined) return fail(`replace operation does not apply: doc is missing path: ${path}`, MISSING);
    try { read(place.container, place.key); }
    catch (error) { void causeOf(error); return fail(`replace operation does not apply: doc is missing key: ${path}`, MISSING); }
    write(place.container, place.key, value);
  }

  #move(operation: JsonMap): void {
    const from = decodeField(operation, "from", "move", false), source = find(this.document, from);
    if (source === undefined) return fail(`move operation does not apply: doc is missing from path: ${from}`, MISSING);
    const value = attempt(`error in move for path: '${source.key}'`, () => {
      const found = read(source.container, source.key);
      remove(source.container, source.key);
      return found;
    });
    const path = decodeField(operation, "path", "move", false), target = find(this.document, path);
    if (target === undefined) return fail(`move operation does not apply: doc is missing destination path: ${path}`, MISSING);
    attempt(`error in move for path: '${path}'`, () => add(target.container, target.key, value));
  }

  #copy(operation: JsonMap): void {
    const from = decodeField(operation, "from", "copy", false), source = find(this.document, from);
    if (source === undefined) return fail(`copy operation does not apply: doc is missing from path: ${from}`, MISSING);
    const value = attempt(`error in copy for from: '${from}'`, () => read(source.container, source.key)) ?? null;
    const path = decodeField(operation, "path", "copy", true), target = find(this.document, path);
    if (target === undefined) return fail(`copy operation does not apply: doc is missing destination path: ${path}`, MISSING);
    this.#copiedBytes += Buffer.byteLength(JSON.stringify(value));
    if (this.#copiedBytes > COPY_BYTES_MAX) throw new JsonPatchError(`Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${COPY_BYTES_MAX}`);
    attempt("error while adding value during copy", () => add(target.container, target.key, cloneJson(value)));
  }

  #test(operation: JsonMap): void {
    const path = decodeField(operation, "path", "test", false), wanted = getOwn(operation, "value") ?? null;
    const place = path === "" ? undefined : find(this.document, path);
    if (path !== "" && place === undefined) return fail(`test operation does not apply: is missing path: ${path}`, MISSING);
    const actual = place === undefined ? this.document : attempt(`error in test for path: '${path}'`, () => read(place.container, place.key));
    if (!jsonEqual(actual ?? null, wanted)) fail(`testing value ${path} failed`, "test failed");
  }
}

/** Applies `operations` to a copy of `document`. Throws JsonPatchError. */
export function applyJsonPatch(document: Container, operations: readonly JsonMap[]): unknown {
  const patching = new Patching(cloneJson(document));
  for (const operation of operations) patching.apply(cloneJson(operation));
  return patching.document;
}
