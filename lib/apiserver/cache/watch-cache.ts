/**
 * The caches of all resources, fed by one watch of the whole store.
 *
 * Guarantees: `revision` never runs ahead of what the caches show; a change is in the cache before the write that made it
 * resolves; `caughtUp` resolves when the caches show everything the store had acknowledged at the time of the call.
 * Counterpart: apiserver `storage/cacher`, one for all resources.
 */
import type { KubeObject } from "../../api/resource-definition.ts";
import { groupResource, type ResourceReference } from "../../api/reference.ts";
import type { Logger } from "../../util/logger.ts";
import type { Store, StoreEvent } from "../../storage/store.ts";
import type { CacheReader } from "../contracts.ts";
import type { Codec } from "../registry/codec.ts";
import { ROOT, listPrefix, objectKey } from "../registry/keys.ts";
import { HistoryBudget, type CacheEvent } from "./history.ts";
import { DecodedCache } from "./decoded-cache.ts";
import { ResourceCache } from "./resource-cache.ts";

const LOAD_PAGE = 500;

export class WatchCache implements CacheReader {
  readonly #store: Store;
  readonly #log: Logger;
  readonly #byPrefix = new Map<string, ResourceCache>();
  readonly #byResource = new Map<string, ResourceCache>();
  /** As `#byResource`, for references that have been asked with: mostly constants of the program. */
  readonly #byReference = new WeakMap<object, ResourceCache>();
  readonly #budget = new HistoryBudget();
  readonly #decoded = new DecodedCache();
  readonly #waiting: { revision: number; resolve: () => void }[] = [];
  #revision = 0;
  #lost: unknown;

  readonly #onLost: (error: unknown) => void;
  constructor(store: Store, log: Logger, onLost: (error: unknown) => void = () => {}) { this.#store = store; this.#log = log; this.#onLost = onLost; }

  /** Newest revision the caches show. */
  get revision(): number { return this.#revision; }
  /** Why the feed ended, if it did: the server is not ready then. */
  get lost(): unknown { return this.#lost; }

  /** Adds a resource's cache; before `start`. Definitions stored in one place (two versions of a kind) share the first one's. */
  add(codec: Codec, prefix: string): ResourceCache {
    const key = resourceKey(codec.definition), existing = this.#byPrefix.get(prefix);
    const cache = existing ?? new ResourceCache(codec, prefix, this.#revision, this.#budget, this.#decoded);
    this.#byPrefix.set(prefix, cache);
    this.#byResource.set(key, cache);
    return cache;
  }

  cacheOf(resource: Pick<ResourceReference, "group" | "version" | "plural">): ResourceCache {
    const known = this.#byReference.get(resource);
    if (known !== undefined) return known;
    const cache = this.#byResource.get(resourceKey(resource));
    if (cache === undefined) throw new Error(`Cannot read resource "${resourceKey(resource)}": it has no cache`);
    this.#byReference.set(resource, cache);
    return cache;
  }

  /** Fills the caches, which those that listen already hear of, and begins to follow the store; resolves when they are whole. The feed ends with `signal`. */
  async start(signal: AbortSignal): Promise<void> {
    const revision = await this.#load();
    this.#revision = revision;
    for (const cache of this.#byPrefix.values()) cache.history.start = revision;
    void this.#store.watch(ROOT, revision, (events) => this.#take(events), signal).catch((error: unknown) => {
      if (signal.aborted) return;
      this.#lost = error;
      this.#log.error({ error }, "store watch ended, the server can no longer answer");
      this.#onLost(error);
    });
  }

  async #load(): Promise<number> {
    let revision: number | undefined, startKey: string | undefined;
    for (;;) {
      const page = await this.#store.list(ROOT, { limit: LOAD_PAGE, ...(revision === undefined ? {} : { revision }), ...(startKey === undefined ? {} : { startKey }) });
      revision = page.revision;
      const touched = new Set<ResourceCache>();
      for (const record of page.records) {
        const cache = this.#route(record.key);
        if (cache === undefined) continue;
        try { cache.load(record.key, record.value, record.modRevision); touched.add(cache); }
        catch (error) { this.#log.error({ error, storeKey: record.key }, "stored record is no object, leaving it out"); }
      }
      for (const cache of touched) cache.flush();
      const last = page.records.at(-1);
      if (page.remaining === 0 || last === undefined) return revision;
      startKey = `${last.key}\0`;
    }
  }

  #route(key: string): ResourceCache | undefined {
    const first = key.indexOf("/", ROOT.length);
    return this.#byPrefix.get(key.slice(0, first + 1)) ?? this.#byPrefix.get(key.slice(0, key.indexOf("/", first + 1) + 1));
  }

  #take(events: readonly StoreEvent[]): void {
    const touched = new Set<ResourceCache>();
    for (const event of events) {
      const key = event.type === "put" ? event.record.key : event.key;
      this.#revision = event.type === "put" ? event.record.modRevision : event.revision;
      const cache = this.#route(key);
      if (cache === undefined) continue;
      try { cache.apply(event); touched.add(cache); }
      catch (error) { this.#log.error({ error, storeKey: key }, "stored record is no object, leaving it out"); }
    }
    for (const cache of touched) cache.flush();
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      if (this.#waiting[i]!.revision > this.#revision) continue;
      this.#waiting[i]!.resolve();
      this.#waiting.splice(i, 1);
    }
  }

  /** Objects of each resource. */
  *counts(): Generator<{ resource: string; count: number }> {
    for (const { codec, size } of this.#byPrefix.values()) yield { resource: groupResource(codec.definition), count: size };
  }
  /** Watches under way. */
  watchers(): number {
    let count = 0;
    for (const cache of this.#byPrefix.values()) count += cache.subscribers.size;
    return count;
  }

  /** Resolves when the caches show everything the store had acknowledged. */
  async caughtUp(): Promise<void> {
    const revision = await this.#store.currentRevision();
    if (revision > this.#revision) await new Promise<void>((resolve) => { this.#waiting.push({ revision, resolve }); });
  }

  /** Whether revision `revision` came within `timeoutMs`. */
  reached(revision: number, timeoutMs: number): Promise<boolean> {
    if (revision <= this.#revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter = { revision, resolve: () => { clearTimeout(timer); resolve(true); } };
      const timer = setTimeout(() => { this.#waiting.splice(this.#waiting.indexOf(waiter), 1); resolve(false); }, timeoutMs);
      this.#waiting.push(waiter);
    });
  }

  get<T>(resource: ResourceReference<T>, namespace: string, name: string): T | undefined {
    const cache = this.cacheOf(resource), entry = cache.get(objectKey(cache.prefix, namespace, name));
    return entry === undefined ? undefined : (cache.decode(entry) as T);
  }

  list<T>(resource: ResourceReference<T>, namespace = ""): readonly T[] {
    const cache = this.cacheOf(resource);
    return cache.list(listPrefix(cache.prefix, namespace)).map((entry) => cache.decode(entry) as T);
  }

  onChange<T>(resource: ResourceReference<T>, listener: (type: "put" | "delete", object: T, previous: T | undefined) => void): () => void {
    const cache = this.cacheOf(resource);
    const decode = (entry: CacheEvent["previous"]): KubeObject | undefined => (entry === undefined ? undefined : cache.decode(entry));
    const subscriber = {
      onEvents: (events: readonly CacheEvent[]) => {
        for (const event of events) {
          try { listener(event.type, decode(event.entry) as T, decode(event.previous) as T | undefined); }
          catch (error) { this.#log.error({ error, resource: resource.plural }, "cache listener failed"); }
        }
      },
    };
    cache.subscribers.add(subscriber);
    return () => { cache.subscribers.delete(subscriber); };
  }
}

const resourceKey = (r: Pick<ResourceReference, "group" | "version" | "plural">): string => `${r.group}/${r.version}/${r.plural}`;
