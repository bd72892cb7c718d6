/**
 * One watch: takes changes of a resource in commit order, keeps those its client asked for, and writes them as fast as
 * the client reads.
 *
 * An object that begins to match is ADDED, one that ceases to match is DELETED (shown as it last matched, at the revision
 * of the change). Frames of the plain JSON form are made once an event and shared by all watchers. A client that falls
 * behind by more than QUEUE_EVENTS_MAX is cut off and must list again.
 * Counterpart: apiserver `storage/cacher/cache_watcher.go` and `endpoints/handlers/watch.go`.
 */
import type { Entry } from "../cache/entry.ts";
import type { CacheEvent } from "../cache/history.ts";
import type { CacheSubscriber } from "../cache/resource-cache.ts";
import type { ResponseStream } from "../http/exchange.ts";

export type WatchType = "ADDED" | "MODIFIED" | "DELETED";

export interface WatcherOptions {
  readonly keyPrefix: string;
  /** Whether the client asked for such an object. */
  readonly matches: (entry: Entry) => boolean;
  /** One line of the answer. */
  readonly frame: (type: WatchType, entry: Entry) => Buffer;
  /** Changes up to this revision were delivered before. */
  readonly afterRevision: number;
}

/** Events that may wait for a client that reads slowly. */
export const QUEUE_EVENTS_MAX = 10_000;
/** Bytes handed to the connection beyond which events wait here instead. */
const WRITE_AHEAD_BYTES = 256 * 1024;

/** The events a watcher makes of one change: none, or one. */
export function watchEventOf(event: CacheEvent, matches: (entry: Entry) => boolean): { type: WatchType; entry: Entry } | undefined {
  const now = event.type === "put" && matches(event.entry), before = event.previous !== undefined && matches(event.previous);
  if (now) return { type: before ? "MODIFIED" : "ADDED", entry: event.entry };
  if (!before) return undefined;
  return { type: "DELETED", entry: event.type === "delete" ? event.entry : event.previous!.at(event.revision) };
}

export class Watcher implements CacheSubscriber {
  readonly #stream: ResponseStream;
  readonly #options: WatcherOptions;
  #queue: { type: WatchType; entry: Entry }[] = [];
  #revision: number;
  #blocked = true;

  /** Events wait until `release`. */
  constructor(stream: ResponseStream, options: WatcherOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#revision = options.afterRevision;
  }

  /** Revision of the newest change taken. */
  get revision(): number { return this.#revision; }
  /** Nothing waits to be written. */
  get idle(): boolean { return this.#queue.length === 0 && !this.#blocked; }

  onEvents(events: readonly CacheEvent[]): void {
    const { keyPrefix, matches } = this.#options;
    for (const event of events) {
      if (event.revision <= this.#revision) continue;
      this.#revision = event.revision;
      if (!event.entry.key.startsWith(keyPrefix)) continue;
      const made = watchEventOf(event, matches);
      if (made !== undefined) this.#queue.push(made);
    }
    if (this.#queue.length > QUEUE_EVENTS_MAX) { this.#queue = []; this.#stream.end(); return; }
    this.#pump();
  }

  /** Lets events flow. */
  release(): void { this.#blocked = false; this.#pump(); }

  #pump(): void {
    if (this.#blocked || this.#queue.length === 0) return;
    let from = 0;
    while (from < this.#queue.length) {
      const frames: Buffer[] = [];
      let size = 0;
      while (from < this.#queue.length && size < WRITE_AHEAD_BYTES) {
        const { type, entry } = this.#queue[from++]!, frame = this.#options.frame(type, entry);
        frames.push(frame);
        size += frame.length;
      }
      this.#stream.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, size));
      if (this.#stream.bufferedBytes() > WRITE_AHEAD_BYTES) {
        this.#blocked = true;
        void this.#stream.drained().then(() => this.release());
        break;
      }
    }
    this.#queue = from === this.#queue.length ? [] : this.#queue.slice(from);
  }
}
