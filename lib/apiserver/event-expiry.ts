/**
 * Forgets Events some time after they were last written, as nobody deletes them.
 *
 * Promises: an Event is kept for the whole of its time, also across restarts of the server, and goes at most SWEEP_MS later; one that is
 * written again begins anew; watchers are told. Finalizers do not hold it. Counterpart: etcd's leases on Events, apiserver `--event-ttl`.
 */
import { events as eventsReference } from "../api/schema/generated/references.ts";
import type { KubeObject } from "../api/resource-definition.ts";
import { RevisionConflictError, type Store } from "../storage/store.ts";
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import type { CacheSubscriber } from "./cache/resource-cache.ts";
import type { WatchCache } from "./cache/watch-cache.ts";

/** Upstream's leases are as coarse: Events of one minute share one. */
export const SWEEP_MS = 60_000;
const AT_ONCE = 64;

export interface EventExpiryDeps { readonly cache: WatchCache; readonly store: Store; readonly clock: Clock; readonly log: Logger }

interface Kept { readonly revision: number; readonly writtenMs: number }

/** When an object was last written, by its own word, in milliseconds since 1970. */
function lastWrittenMs({ metadata }: KubeObject): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map((entry) => entry.time)];
  return Math.max(0, ...times.map((time) => (time === undefined ? 0 : Date.parse(time) || 0)));
}

export class EventExpiry implements Runnable {
  readonly name = "event-expiry";
  readonly #deps: EventExpiryDeps;
  readonly #ttlMs: number;
  /** By key, the longest unwritten first once it runs. */
  #kept = new Map<string, Kept>();
  #running = false;

  /** `ttlMs`: how long an Event is kept, above 0. */
  constructor(deps: EventExpiryDeps, ttlMs: number) { this.#deps = deps; this.#ttlMs = ttlMs; }

  /** Takes note of what the caches are filled with, and of every later write; before they are filled, so that nothing is read twice. Returns what stops it. */
  follow(): () => void {
    const cache = this.#deps.cache.cacheOf(eventsReference), follower: CacheSubscriber = {
      onEvents: (changes) => {
        const nowMs = this.#deps.clock.now().getTime();
        for (const { type, entry } of changes) {
          this.#kept.delete(entry.key); // So that it goes to the end.
          if (type === "put") this.#kept.set(entry.key, { revision: entry.revision, writtenMs: this.#running ? nowMs : lastWrittenMs(cache.decode(entry)) });
        }
      },
    };
    cache.subscribers.add(follower);
    return () => { cache.subscribers.delete(follower); };
  }

  /** Once the caches are filled. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    this.#kept = new Map([...this.#kept].toSorted(([, a], [, b]) => a.writtenMs - b.writtenMs));
    this.#running = true;
    try {
      for (;;) {
        await clock.sleep(Math.min(SWEEP_MS, this.#ttlMs), signal);
        try { await this.#sweep(signal); }
        catch (error) { if (isAbort(error, signal)) throw error; log.warn({ error }, "cannot forget old events, will retry"); }
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    const oldestMs = this.#deps.clock.now().getTime() - this.#ttlMs, due: [string, Kept][] = [];
    for (const [key, kept] of this.#kept) {
      if (kept.writtenMs > oldestMs) break;
      due.push([key, kept]);
    }
    for (let i = 0; i < due.length; i += AT_ONCE) {
      signal.throwIfAborted();
      await Promise.all(due.slice(i, i + AT_ONCE).map(([key, { revision }]) => this.#forget(key, revision)));
    }
  }

  async #forget(key: string, revision: number): Promise<void> {
    try { await this.#deps.store.delete(key, { expectedRevision: revision }); }
    catch (error) { if (!(error instanceof RevisionConflictError)) throw error; } // Written meanwhile: it begins anew.
  }
}
