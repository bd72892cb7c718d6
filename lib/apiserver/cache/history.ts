/**
 * Recent changes of every resource, so that a watch can begin at a revision of the near past without asking the store.
 *
 * One budget for all resources together: the oldest change goes first, whosever it is. `startOf` says how far back a
 * resource is still whole. Counterpart: the cyclic buffer of apiserver `storage/cacher/watch_cache.go`.
 */
import { Fifo } from "../../util/fifo.ts";
import type { Entry } from "./entry.ts";

export interface CacheEvent {
  readonly type: "put" | "delete";
  readonly revision: number;
  /** The object after the change; for a delete, as it was, at the deletion's revision. */
  readonly entry: Entry;
  readonly previous: Entry | undefined;
}

export const HISTORY_EVENTS_MAX = 10_000, HISTORY_BYTES_MAX = 24 * 1024 * 1024;
const COMPACT_AT = 1_024;

/** The changes of one resource. */
export class ResourceHistory {
  #events: CacheEvent[] = [];
  #first = 0;
  /** Every change after this revision is held. */
  start: number;
  constructor(start: number) { this.start = start; }

  push(event: CacheEvent): void { this.#events.push(event); }
  evict(): CacheEvent {
    const event = this.#events[this.#first]!;
    this.#first++;
    this.start = event.revision;
    if (this.#first >= COMPACT_AT && this.#first * 2 >= this.#events.length) { this.#events = this.#events.slice(this.#first); this.#first = 0; }
    return event;
  }
  /** Changes after `revision`; only whole when `revision >= start`. */
  after(revision: number): CacheEvent[] {
    let low = this.#first, high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }
}

export class HistoryBudget {
  readonly #order = new Fifo<ResourceHistory>();
  #bytes = 0;
  readonly #eventsMax: number;
  readonly #bytesMax: number;
  constructor(eventsMax = HISTORY_EVENTS_MAX, bytesMax = HISTORY_BYTES_MAX) { this.#eventsMax = eventsMax; this.#bytesMax = bytesMax; }

  /** Keeps `event` in `history` and forgets the oldest ones beyond the budget. */
  push(history: ResourceHistory, event: CacheEvent): void {
    history.push(event);
    this.#order.push(history);
    this.#bytes += event.entry.value.length;
    while (this.#order.length > this.#eventsMax || this.#bytes > this.#bytesMax) {
      const oldest = this.#order.shift();
      if (oldest === undefined) break;
      this.#bytes -= oldest.evict().entry.value.length;
    }
  }
}
