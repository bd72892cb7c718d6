/**
 * The Store over one SQLite database: gathers writes into batches, delivers their outcome, answers reads.
 * The writer sits behind a `WriterLink`, so the same code serves a file written by a thread and a database in memory.
 *
 * A write goes: queue -> a batch at the end of a turn of the event loop -> writer -> (durable) -> watchers -> the caller's promise.
 * The writer has one batch at work and one waiting; with both there the queue grows instead: a message costs more than a write in one.
 * Reads are answered as of the newest revision that has come back from the writer, so nobody is ahead of the watchers.
 */
import type { WriteRequest, PackedBatch } from "./batch.ts";
import { ANY, RESULT_STRIDE, packBatch } from "./batch.ts";
import type { Reader } from "./reader.ts";
import { StoreError, sqliteFailure, storeError } from "./store-error.ts";
import { CompactedError, FutureRevisionError, RevisionConflictError } from "./store.ts";
import type { ListOptions, ListResult, PutOptions, Store, StoreEvent, StoreRecord } from "./store.ts";
import { WatchHub } from "./watch-hub.ts";

/** The way to the writer. Answers come in the order of the calls. Failures are StoreErrors. */
export interface WriterLink {
  submit(batch: PackedBatch): Promise<Float64Array>;
  compact(revision: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

export interface EmbeddedStoreOptions {
  /** History longer than this many revisions is compacted by the store itself, however young. Bounds the file. */
  historyRevisionsMax?: number;
  /** Told once when the disk failed so that no write can be trusted any more; the process should end. */
  onFailure?: (error: StoreError) => void;
}

interface Waiting { readonly request: WriteRequest; resolve(outcome: Outcome): void; reject(error: unknown): void }
type Outcome = { readonly revision: number; readonly createRevision: number; readonly previousRevision: number; readonly previous: StoreRecord | undefined } | undefined;

export const HISTORY_REVISIONS_MAX = 50_000;
const LIST_SLICE_ROWS = 1_000, IN_FLIGHT_MAX = 2;

const pause = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

export class EmbeddedStore implements Store {
  readonly #link: WriterLink;
  readonly #reader: Reader;
  readonly #file: string;
  readonly #hub: WatchHub;
  readonly #historyRevisionsMax: number;
  readonly #onFailure: (error: StoreError) => void;
  #revision: number;
  #compacted: number;
  #queue: Waiting[] = [];
  #flushIsDue = false;
  #inFlight = 0;
  #flushing: Promise<void> = Promise.resolve();
  #failure: StoreError | undefined;

  constructor(deps: { link: WriterLink; reader: Reader; file: string; revision: number; compacted: number }, options: EmbeddedStoreOptions = {}) {
    this.#link = deps.link;
    this.#reader = deps.reader;
    this.#file = deps.file;
    this.#revision = deps.revision;
    this.#compacted = deps.compacted;
    this.#historyRevisionsMax = options.historyRevisionsMax ?? HISTORY_REVISIONS_MAX;
    this.#onFailure = options.onFailure ?? ((): void => {});
    this.#hub = new WatchHub({
      revision: () => this.#revision,
      events: (prefix, after, limit) => {
        if (after < this.#compacted) throw new CompactedError(after, this.#compacted);
        return this.#read(() => this.#reader.events(prefix, after, this.#revision, limit));
      },
    });
  }

  async currentRevision(): Promise<number> { return this.#revision; }

  async get(key: string, options: { revision?: number } = {}): Promise<StoreRecord | undefined> {
    const revision = this.#readable(options.revision);
    return this.#read(() => this.#reader.get(key, revision));
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    for (;;) {
      const revision = this.#readable(options.revision);
      const limit = options.limit ?? Number.MAX_SAFE_INTEGER;
      const records: StoreRecord[] = [];
      let from = options.startKey ?? prefix, complete = false;
      while (!complete && records.length < limit && revision >= this.#compacted) {
        if (records.length > 0) await pause(); // A long list must not stop the server.
        const wanted = Math.min(LIST_SLICE_ROWS, limit - records.length);
        const slice = this.#read(() => this.#reader.list(prefix, from, revision, wanted));
        records.push(...slice);
        complete = slice.length < wanted;
        from = `${records.at(-1)?.key ?? from}\0`;
      }
      if (revision < this.#compacted) continue; // Compacted under our hands: start again at the newest, or fail above.
      return { records, revision, remaining: complete ? 0 : this.#read(() => this.#reader.count(prefix, from, revision)) };
    }
  }

  async put(key: string, value: Buffer, options: PutOptions = {}): Promise<StoreRecord> {
    const written = (await this.#write({ key, value, expected: options.expectedRevision ?? ANY }))!;
    return { key, value, createRevision: written.createRevision, modRevision: written.revision };
  }

  async delete(key: string, options: { expectedRevision?: number } = {}): Promise<{ revision: number; previous: StoreRecord } | undefined> {
    const written = await this.#write({ key, value: undefined, expected: options.expectedRevision ?? ANY });
    return written === undefined ? undefined : { revision: written.revision, previous: written.previous! };
  }

  watch(prefix: string, afterRevision: number, onEvents: (events: readonly StoreEvent[]) => void, signal: AbortSignal): Promise<void> {
    return this.#hub.watch(prefix, afterRevision, onEvents, signal);
  }

  async compact(revision: number): Promise<void> {
    if (revision > this.#revision) throw new FutureRevisionError(revision, this.#revision);
    if (revision <= this.#compacted) return;
    this.#compacted = revision; // Before the writer forgets, so that no read meets half a history.
    await this.#link.compact(revision);
  }

  sizeBytes(): Promise<number> { return this.#link.sizeBytes(); }

  async close(): Promise<void> {
    if (this.#failure?.failure === "closed") return;
    this.#failure = new StoreError("closed", `Cannot use store ${JSON.stringify(this.#file)}: it is closed`);
    if (this.#queue.length > 0) this.#flush();
    await this.#flushing;
    this.#hub.close();
    this.#reader.close(); // First, so that the writer is the last and folds the log into the file.
    await this.#link.close();
  }

  #readable(asked: number | undefined): number {
    if (this.#failure?.failure === "closed") throw this.#failure;
    if (asked === undefined) return this.#revision;
    if (asked > this.#revision) throw new FutureRevisionError(asked, this.#revision);
    if (asked < this.#compacted) throw new CompactedError(asked, this.#compacted);
    return asked;
  }

  #read<T>(read: () => T): T {
    try { return read(); }
    catch (error) { throw storeError("read store", this.#file, sqliteFailure(error)); }
  }

  #write(request: WriteRequest): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#queue.push({ request, resolve, reject });
      this.#flushSoon();
    });
  }

  /** After the poll phase: every request that came in with this turn shares one message and, with luck, one fsync. */
  #flushSoon(): void {
    if (this.#flushIsDue || this.#inFlight >= IN_FLIGHT_MAX) return;
    this.#flushIsDue = true;
    setImmediate(() => { this.#flushIsDue = false; this.#flush(); });
  }

  #flush(): void {
    const batch = this.#queue;
    if (batch.length === 0) return;
    this.#queue = [];
    this.#inFlight++;
    const done = this.#link.submit(packBatch(batch.map((waiting) => waiting.request)))
      .then((results) => this.#complete(batch, results))
      .catch((error: unknown) => this.#fail(batch, error))
      .then(() => {
        this.#inFlight--;
        if (this.#queue.length > 0) this.#flushSoon();
      });
    this.#flushing = Promise.all([this.#flushing, done]).then(() => {});
  }

  #complete(batch: readonly Waiting[], results: Float64Array): void {
    const events: StoreEvent[] = [], settle: (() => void)[] = [];
    for (const [i, waiting] of batch.entries()) {
      const at = i * RESULT_STRIDE;
      const revision = results[at]!, previousRevision = results[at + 1]!, previousCreate = results[at + 2]!;
      const { key, value, expected } = waiting.request;
      if (revision === 0) {
        if (value === undefined && previousRevision === 0) settle.push(() => waiting.resolve(undefined));
        else settle.push(() => waiting.reject(this.#conflict(key, expected, previousRevision)));
        continue;
      }
      const createRevision = previousRevision === 0 ? revision : previousCreate;
      const watched = this.#hub.wants(key);
      const previous = previousRevision !== 0 && (watched || value === undefined) ? this.#read(() => this.#reader.written(previousRevision)) : undefined;
      if (watched) events.push(value === undefined ? { type: "delete", key, revision, previous: previous! } : { type: "put", record: { key, value, createRevision, modRevision: revision }, previous });
      settle.push(() => waiting.resolve({ revision, createRevision, previousRevision, previous }));
      this.#revision = revision;
    }
    this.#hub.deliver(events);
    for (const each of settle) each();
    if (this.#revision - this.#compacted > this.#historyRevisionsMax) this.#shorten();
  }

  #conflict(key: string, expected: number, found: number): Error {
    try { return new RevisionConflictError(key, expected, found === 0 ? undefined : this.#read(() => this.#reader.written(found))); }
    catch (error) { return error as Error; }
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    const failure = error instanceof StoreError ? error : new StoreError("io", `Cannot write to store ${JSON.stringify(this.#file)}: its writer ended`, { cause: error });
    if (failure.failure !== "full" && this.#failure === undefined) {
      this.#failure = failure;
      this.#onFailure(failure);
      for (const waiting of this.#queue.splice(0)) waiting.reject(failure);
    }
    for (const waiting of batch) waiting.reject(failure);
  }

  /** Drops the older half of a history grown too long; the writer does it in steps. */
  #shorten(): void {
    // Compaction that fails for want of disk is tried again at the next write; the writer reports worse with that write.
    this.compact(this.#revision - Math.floor(this.#historyRevisionsMax / 2)).catch(() => {});
  }
}
