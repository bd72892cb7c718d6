/** A CacheReader over plain maps: `put` and `remove` tell the listeners, as the watch cache does. */
import { groupResource, type ResourceReference } from "../../../lib/api/reference.ts";
import type { ObjectMeta } from "../../../lib/api/schema/generated/models.ts";
import type { CacheReader } from "../../../lib/apiserver/contracts.ts";

type Stored = { metadata?: ObjectMeta | undefined };
type Listener = (type: "put" | "delete", object: unknown, previous: unknown) => void;

export class FakeCache implements CacheReader {
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #uid = 0;
  #of(resource: ResourceReference): Map<string, Stored> {
    const name = groupResource(resource);
    let objects = this.#objects.get(name);
    if (objects === undefined) { objects = new Map(); this.#objects.set(name, objects); }
    return objects;
  }
  /** Stores `object`; gives it a uid when it has none. */
  put<T>(resource: ResourceReference<T>, object: Partial<T> & { metadata: Partial<ObjectMeta> }): T {
    const stored = { ...object, metadata: { uid: `uid-${++this.#uid}`, ...object.metadata } } as unknown as T & Stored;
    const key = `${object.metadata.namespace ?? ""}/${object.metadata.name}`, previous = this.#of(resource).get(key);
    this.#of(resource).set(key, stored);
    for (const listener of this.#listeners.get(groupResource(resource)) ?? []) listener("put", stored, previous);
    return stored;
  }
  remove(resource: ResourceReference, namespace: string, name: string): void {
    const key = `${namespace}/${name}`, previous = this.#of(resource).get(key);
    this.#of(resource).delete(key);
    if (previous !== undefined) for (const listener of this.#listeners.get(groupResource(resource)) ?? []) listener("delete", previous, previous);
  }
  get<T>(resource: ResourceReference<T>, namespace: string, name: string): T | undefined {
    return this.#of(resource).get(`${namespace}/${name}`) as T | undefined;
  }
  list<T>(resource: ResourceReference<T>, namespace?: string): readonly T[] {
    const all = [...this.#of(resource)];
    return (namespace === undefined ? all : all.filter(([key]) => key.startsWith(`${namespace}/`))).map(([, object]) => object as T);
  }
  onChange<T>(resource: ResourceReference<T>, listener: (type: "put" | "delete", object: T, previous: T | undefined) => void): () => void {
    const name = groupResource(resource), set = this.#listeners.get(name) ?? new Set<Listener>();
    this.#listeners.set(name, set.add(listener as Listener));
    return () => set.delete(listener as Listener);
  }
}
