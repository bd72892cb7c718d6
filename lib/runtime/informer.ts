/**
 * Informer: a live copy of one resource, with change handlers.
 *
 * Promises: `synced` resolves once the first list is in the store; handlers are told of every difference between what the store
 * held and what it holds, in order, after the store changed (an object deleted while we were not watching is told as deleted, with
 * its last known state); a handler added late is first told of everything that is there as `added`. Handlers must only enqueue.
 * Objects are shared: treat them as frozen. `managedFields` are dropped on the way in, nobody here reads them.
 * Counterpart: client-go `SharedIndexInformer`.
 */
import type { ResourceReference } from "../api/reference.ts";
import type { HasMeta } from "../client/client.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { keyOf } from "./object-key.ts";
import { Reflector, type ReflectorDeps, type ReflectorOptions } from "./reflector.ts";
import { Store, type IndexFunction, type Lister } from "./store.ts";

export type Change<T> = { readonly type: "added"; readonly object: T } | { readonly type: "updated"; readonly object: T; readonly old: T } | { readonly type: "deleted"; readonly object: T };
export type ChangeHandler<T> = (change: Change<T>) => void;
export interface InformerOptions<T> extends ReflectorOptions {
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>> | undefined;
  /** Trims an object before it is stored; `managedFields` are gone already. */
  readonly transform?: ((object: T) => T) | undefined;
}
export type InformerDeps = ReflectorDeps;

export class Informer<T extends HasMeta> implements Runnable, Lister<T> {
  readonly name: string;
  readonly resource: ResourceReference<T>;
  /** Whether only `metadata` is sure to be there. */
  readonly metadataOnly: boolean;
  /** Resolves after the first list; never rejects. */
  readonly synced: Promise<void>;
  readonly #store = new Store<T>();
  readonly #handlers = new Set<ChangeHandler<T>>();
  readonly #reflector: Reflector<T>;
  readonly #transform: (object: T) => T;
  readonly #log: Logger;
  #markSynced!: () => void;
  #hasSynced = false;

  constructor(deps: InformerDeps, resource: ResourceReference<T>, options: InformerOptions<T> = {}) {
    this.name = `informer ${resource.plural}`;
    this.resource = resource;
    this.metadataOnly = options.metadataOnly === true;
    this.#log = deps.log;
    this.#transform = (object) => {
      delete object.metadata.managedFields;
      return options.transform === undefined ? object : options.transform(object);
    };
    for (const [name, values] of Object.entries(options.indexes ?? {})) this.#store.addIndex(name, values);
    this.synced = new Promise((resolve) => { this.#markSynced = resolve; });
    this.#reflector = new Reflector(deps, resource, options, {
      replace: (objects) => this.#replace(objects),
      change: (type, object) => this.#change(type, object),
    });
  }

  get hasSynced(): boolean { return this.#hasSynced; }
  /** As the reflector's: what the copy says about absence of change is only as good as this. */
  get watchingSinceMs(): number | undefined { return this.#reflector.watchingSinceMs; }
  get size(): number { return this.#store.size; }
  get(key: string): T | undefined { return this.#store.get(key); }
  list(namespace?: string): T[] { return this.#store.list(namespace); }
  byIndex(index: string, value: string): T[] { return this.#store.byIndex(index, value); }
  addIndex(name: string, values: IndexFunction<T>): void { this.#store.addIndex(name, values); }

  /** Registers a handler; the returned function removes it. */
  onChange(handler: ChangeHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const object of this.#store.list()) this.#call(handler, { type: "added", object });
    return () => this.#handlers.delete(handler);
  }

  async run(signal: AbortSignal): Promise<void> { await this.#reflector.run(signal); }

  #replace(objects: T[]): void {
    const gone = new Set(this.#store.keys());
    for (const raw of objects) {
      const object = this.#transform(raw);
      gone.delete(keyOf(object));
      const old = this.#store.set(object);
      if (old === undefined) this.#tell({ type: "added", object });
      else if (old.metadata.uid !== object.metadata.uid) {
        this.#tell({ type: "deleted", object: old }); // Deleted and made anew while we were not watching.
        this.#tell({ type: "added", object });
      } else if (old.metadata.resourceVersion !== object.metadata.resourceVersion) this.#tell({ type: "updated", object, old });
    }
    for (const key of gone) this.#tell({ type: "deleted", object: this.#store.delete(key)! });
    this.#hasSynced = true;
    this.#markSynced();
  }

  #change(type: "ADDED" | "MODIFIED" | "DELETED", raw: T): void {
    const object = this.#transform(raw);
    if (type === "DELETED") {
      if (this.#store.delete(keyOf(object)) !== undefined) this.#tell({ type: "deleted", object });
      return;
    }
    const old = this.#store.set(object);
    this.#tell(old === undefined ? { type: "added", object } : { type: "updated", object, old });
  }

  #tell(change: Change<T>): void { for (const handler of this.#handlers) this.#call(handler, change); }

  #call(handler: ChangeHandler<T>, change: Change<T>): void {
    // A handler's bug must not stop the informer for everyone else.
    try { handler(change); }
    catch (error) { this.#log.error({ resource: this.resource.plural, object: keyOf(change.object), error }, "change handler failed"); }
  }
}
