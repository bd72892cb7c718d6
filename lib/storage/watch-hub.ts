/**
 * Watches of one store: each first catches up from kept history in slices, then receives every batch as it becomes durable.
 *
 * Guarantees: each change once, in commit order; joining the live stream happens in the same turn as the last slice, so nothing falls
 * between; a callback that throws ends its own watch, with that error, and no other.
 */
import type { StoreEvent } from "./store.ts";

interface History {
  /** Newest delivered revision. */
  revision(): number;
  /** Changes after `after` up to the newest delivered one. Throws CompactedError. */
  events(prefix: string, after: number, limit: number): StoreEvent[];
}

interface Watcher { readonly prefix: string; after: number; readonly onEvents: (events: readonly StoreEvent[]) => void; end(error?: unknown): void }

const CATCH_UP_SLICE_EVENTS = 1_000;

const revisionOf = (event: StoreEvent): number => (event.type === "put" ? event.record.modRevision : event.revision);
const keyOf = (event: StoreEvent): string => (event.type === "put" ? event.record.key : event.key);

export class WatchHub {
  readonly #history: History;
  readonly #live = new Set<Watcher>();
  readonly #all = new Set<Watcher>();
  constructor(history: History) { this.#history = history; }

  /** Whether a change of `key` would reach somebody. */
  wants(key: string): boolean {
    for (const watcher of this.#live) if (key.startsWith(watcher.prefix)) return true;
    return false;
  }

  watch(prefix: string, afterRevision: number, onEvents: (events: readonly StoreEvent[]) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return resolve();
      const onAbort = (): void => watcher.end();
      const watcher: Watcher = {
        prefix, after: afterRevision, onEvents,
        end: (error) => {
          this.#live.delete(watcher);
          this.#all.delete(watcher);
          signal.removeEventListener("abort", onAbort);
          if (error === undefined) resolve(); else reject(error as Error);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#all.add(watcher);
      this.#catchUp(watcher);
    });
  }

  /** Hands events, in commit order, to the watches that are up to date. */
  deliver(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    for (const watcher of [...this.#live]) this.#hand(watcher, events.filter((event) => revisionOf(event) > watcher.after && keyOf(event).startsWith(watcher.prefix)));
  }

  /** Ends every watch. */
  close(): void { for (const watcher of [...this.#all]) watcher.end(); }

  #catchUp(watcher: Watcher): void {
    if (!this.#all.has(watcher)) return;
    let more: boolean;
    try {
      const upTo = this.#history.revision();
      const events = this.#history.events(watcher.prefix, watcher.after, CATCH_UP_SLICE_EVENTS);
      more = events.length === CATCH_UP_SLICE_EVENTS;
      this.#hand(watcher, events);
      if (!more) watcher.after = Math.max(watcher.after, upTo);
    } catch (error) { return watcher.end(error); }
    if (more) setImmediate(() => this.#catchUp(watcher));
    else if (this.#all.has(watcher)) this.#live.add(watcher);
  }

  #hand(watcher: Watcher, events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    watcher.after = Math.max(watcher.after, revisionOf(events.at(-1)!));
    try { watcher.onEvents(events); }
    catch (error) { watcher.end(error); }
  }
}
