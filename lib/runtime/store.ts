/**
 * Store: what an informer knows, with indexes.
 *
 * Promises: an index is exact after every change; reads are by key or index, never a scan unless `list()` is asked for.
 * Objects are shared by every reader: treat them as frozen. Counterpart: client-go `tools/cache/thread_safe_store.go`.
 */
import type { HasMeta } from "../client/client.ts";
import { keyOf } from "./object-key.ts";

/** Values under which an object is found; none leaves it out. */
export type IndexFunction<T> = (object: T) => readonly string[];

export interface Lister<T> {
  /** By `namespace/name`, or `name` for cluster-scoped objects. */
  get(key: string): T | undefined;
  list(namespace?: string): T[];
  byIndex(index: string, value: string): T[];
}

/** Always there: objects by namespace. */
export const NAMESPACE_INDEX = "namespace";

interface Index<T> { readonly values: IndexFunction<T>; readonly keys: Map<string, Set<string>> }

export class Store<T extends HasMeta> implements Lister<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexes = new Map<string, Index<T>>();

  constructor() { this.addIndex(NAMESPACE_INDEX, (object) => (object.metadata.namespace === undefined ? [] : [object.metadata.namespace])); }

  get size(): number { return this.#objects.size; }

  /** Adds an index, over what is there already too. Naming one twice keeps the first. */
  addIndex(name: string, values: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { values, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) insert(index, key, object);
  }

  get(key: string): T | undefined { return this.#objects.get(key); }

  list(namespace?: string): T[] { return namespace === undefined || namespace === "" ? [...this.#objects.values()] : this.byIndex(NAMESPACE_INDEX, namespace); }

  byIndex(name: string, value: string): T[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new RangeError(`Cannot read index "${name}": it was never added`);
    const found: T[] = [];
    for (const key of index.keys.get(value) ?? []) found.push(this.#objects.get(key)!);
    return found;
  }

  keys(): IterableIterator<string> { return this.#objects.keys(); }

  /** Returns what was there before. */
  set(object: T): T | undefined {
    const key = keyOf(object), old = this.#objects.get(key);
    for (const index of this.#indexes.values()) if (old !== undefined) remove(index, key, old);
    this.#objects.set(key, object);
    for (const index of this.#indexes.values()) insert(index, key, object);
    return old;
  }

  /** Returns what was there. */
  delete(key: string): T | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#indexes.values()) remove(index, key, old);
    return old;
  }
}

function insert<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, new Set([key]));
    else keys.add(key);
  }
}

function remove<T>(index: Index<T>, key: string, object: T): void {
  for (const value of index.values(object)) {
    const keys = index.keys.get(value);
    if (keys?.delete(key) === true && keys.size === 0) index.keys.delete(value);
  }
}
