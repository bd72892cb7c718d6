/**
 * Every object of one resource as it is now, its recent changes, and who wants to hear of the next ones.
 * Counterpart: apiserver `storage/cacher`.
 */
import type { KubeObject } from "../../api/resource-definition.ts";
import type { StoreEvent } from "../../storage/store.ts";
import type { Codec } from "../registry/codec.ts";
import type { DecodedCache } from "./decoded-cache.ts";
import { Entry } from "./entry.ts";
import { ResourceHistory, type CacheEvent, type HistoryBudget } from "./history.ts";
import { SortedKeys } from "./sorted-keys.ts";

/** Hears of changes in commit order. */
export interface CacheSubscriber {
  onEvents(events: readonly CacheEvent[]): void;
}

interface PendingWrite { readonly value: Buffer; readonly object: KubeObject }

export class ResourceCache {
  readonly codec: Codec;
  readonly prefix: string;
  readonly history: ResourceHistory;
  readonly subscribers = new Set<CacheSubscriber>();
  readonly #budget: HistoryBudget;
  readonly #entries = new Map<string, Entry>();
  readonly #keys = new SortedKeys();
  readonly #pending = new Map<string, PendingWrite[]>();
  readonly #decoded: DecodedCache;
  /** Revision of the newest change of this resource. */
  #changedRevision: number;
  #batch: CacheEvent[] = [];

  constructor(codec: Codec, prefix: string, revision: number, budget: HistoryBudget, decoded: DecodedCache) {
    this.codec = codec;
    this.prefix = prefix;
    this.history = new ResourceHistory(revision);
    this.#changedRevision = revision;
    this.#budget = budget;
    this.#decoded = decoded;
  }

  get size(): number { return this.#entries.size; }
  get changedRevision(): number { return this.#changedRevision; }
  get(key: string): Entry | undefined { return this.#entries.get(key); }
  has(key: string): boolean { return this.#entries.has(key); }

  /** Entries under a key prefix, in key order. The array is the caller's. */
  list(prefix: string): Entry[] {
    return this.#keys.under(prefix).map((key) => this.#entries.get(key)!);
  }

  /** First filling, before any event. Who listens already hears of it as of a change, at `flush`, so that nobody needs to decode it again. */
  load(key: string, value: Buffer, revision: number): void {
    const object = this.codec.parse(value), entry = this.codec.load(key, value, revision, object);
    if (!this.#entries.has(key)) this.#keys.add(key);
    this.#entries.set(key, entry);
    if (this.subscribers.size === 0) return;
    object.metadata.resourceVersion = String(revision);
    this.#decoded.addRead(entry, object);
    this.#batch.push({ type: "put", revision, entry, previous: undefined });
  }

  /** Announces a write of this process, so that its event needs no decoding. Call the result when the write is over. */
  expect(key: string, value: Buffer, object: KubeObject): () => void {
    const write = { value, object }, list = this.#pending.get(key);
    if (list === undefined) this.#pending.set(key, [write]);
    else list.push(write);
    return () => {
      const now = this.#pending.get(key);
      if (now === undefined) return;
      if (now.length === 1) this.#pending.delete(key);
      else now.splice(now.indexOf(write), 1);
    };
  }

  /** Takes one change of the store; subscribers hear of it at `flush`. */
  apply(event: StoreEvent): void {
    const key = event.type === "put" ? event.record.key : event.key;
    const known = this.#entries.get(key);
    let change: CacheEvent;
    if (event.type === "put") {
      const { value, modRevision } = event.record;
      const object = this.#pending.get(key)?.find((write) => write.value === value || write.value.equals(value))?.object;
      const entry = this.codec.load(key, value, modRevision, object);
      if (object !== undefined) { object.metadata.resourceVersion = String(modRevision); this.#decoded.addWritten(entry, object); }
      if (known === undefined) this.#keys.add(key);
      this.#entries.set(key, entry);
      change = { type: "put", revision: modRevision, entry, previous: known };
    } else {
      if (known === undefined) return;
      this.#keys.remove(key);
      this.#entries.delete(key);
      change = { type: "delete", revision: event.revision, entry: known.at(event.revision), previous: known };
    }
    this.#changedRevision = change.revision;
    this.#budget.push(this.history, change);
    this.#batch.push(change);
  }

  /** Tells subscribers of what `apply` took since the last flush. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const events = this.#batch;
    this.#batch = [];
    for (const subscriber of this.subscribers) subscriber.onEvents(events);
  }

  /** The decoded object of an entry; frozen by convention. */
  decode<T extends KubeObject = KubeObject>(entry: Entry): T {
    const known = this.#decoded.get(entry);
    if (known !== undefined) return known as T;
    const object = this.codec.decode<T>(entry);
    this.#decoded.addRead(entry, object);
    return object;
  }
}
