/**
 * The durable store: one SQLite file (WAL, synchronous=FULL) written by a thread of its own, read by this one.
 *
 * Guarantees beyond the Store contract: a reply means fdatasync has returned; the file is its owner's alone (0600); one process at a time.
 * Files: FILE, FILE-wal, FILE-shm (SQLite's) and FILE.lock. Back up with the server stopped, or copy through SQLite.
 */
import { once } from "node:events";
import { stat } from "node:fs/promises";
import type { Worker } from "node:worker_threads";
import { silentLogger, type Logger } from "../util/logger.ts";
import { startWorker } from "../util/self.ts";
import type { PackedBatch } from "./batch.ts";
import { lockStore, openReaderDatabase, type Synchronous } from "./database.ts";
import { EmbeddedStore, type EmbeddedStoreOptions, type WriterLink } from "./embedded-store.ts";
import { Reader } from "./reader.ts";
import type { Failure, FromWorker, ToWorker, WorkerData } from "./sqlite-worker.ts";
import { StoreError, sqliteFailure, storeError } from "./store-error.ts";
import type { Store } from "./store.ts";

export interface SqliteStoreOptions extends EmbeddedStoreOptions {
  /** The data file; made when absent, its directory must exist. */
  file: string;
  log?: Logger;
  /** Anything but FULL loses acknowledged writes when power fails; here so that the tests can prove they would notice. */
  synchronous?: Synchronous;
}

/** Opens the store, creating it when absent. Throws StoreError, whose message says what to do. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, log = silentLogger, synchronous = "FULL" } = options;
  const unlock = lockStore(file);
  try {
    const worker = startWorker({ name: "sqlite-worker", source: new URL("./sqlite-worker.ts", import.meta.url) }, { workerData: { file, synchronous } satisfies WorkerData });
    const [first] = (await once(worker, "message")) as [FromWorker];
    if (first.kind !== "ready") throw first.kind === "unusable" ? new StoreError(first.error.failure, first.error.message) : new Error(`Assertion failed: the writer began with ${first.kind}`);
    log.info({ file, revision: first.revision, compacted: first.compacted, synchronous: first.synchronous }, "store is open");
    const link = new WorkerLink(worker, file, unlock);
    return new EmbeddedStore({ link, reader: openReader(file), file, revision: first.revision, compacted: first.compacted }, {
      ...options,
      onFailure: (error) => { log.error({ file, error }, "store has failed"); options.onFailure?.(error); },
    });
  } catch (error) {
    unlock();
    throw error;
  }
}

function openReader(file: string): Reader {
  try { return new Reader(openReaderDatabase(file)); }
  catch (error) { throw storeError("open store", file, sqliteFailure(error)); }
}

interface Pending { readonly resolve: (results: Float64Array) => void; readonly reject: (error: Error) => void; readonly writes: number }

/** Requests to the writer's thread, answered in order; one answer may cover several. */
class WorkerLink implements WriterLink {
  readonly #worker: Worker;
  readonly #file: string;
  readonly #unlock: () => void;
  #pending: Pending[] = [];
  #ended: Error | undefined;

  constructor(worker: Worker, file: string, unlock: () => void) {
    this.#worker = worker;
    this.#file = file;
    this.#unlock = unlock;
    worker.on("message", (message: FromWorker) => { if (message.kind === "done") this.#answer(message.count, message.results, message.error); });
    worker.on("error", (error) => this.#end(error as Error));
    worker.on("exit", () => this.#end(new StoreError("closed", `Cannot use store ${JSON.stringify(file)}: its writer has ended`)));
  }

  submit(batch: PackedBatch): Promise<Float64Array> { return this.#send({ kind: "write", batch }, batch.keys.length, [batch.data]); }

  async compact(revision: number): Promise<void> { await this.#send({ kind: "compact", revision }, 0); }

  async sizeBytes(): Promise<number> {
    const sizes = await Promise.all([this.#file, `${this.#file}-wal`].map(async (path) => {
      try { return (await stat(path)).size; }
      catch { return 0; } // No log yet.
    }));
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async close(): Promise<void> {
    const exited = this.#ended === undefined ? once(this.#worker, "exit") : undefined;
    if (this.#ended === undefined) await this.#send({ kind: "close" }, 0);
    await exited;
    this.#unlock();
  }

  #send(message: ToWorker, writes: number, transfer: ArrayBuffer[] = []): Promise<Float64Array> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#pending.push({ resolve, reject, writes });
      this.#worker.postMessage(message, transfer);
    });
  }

  #answer(count: number, results: Float64Array | undefined, error: Failure | undefined): void {
    const answered = this.#pending.splice(0, count);
    const stride = results === undefined ? 0 : results.length / answered.reduce((sum, { writes }) => sum + writes, 0);
    let at = 0;
    for (const { resolve, reject, writes } of answered) {
      if (error !== undefined) reject(new StoreError(error.failure, error.message));
      else resolve(results?.subarray(at, at += writes * stride) ?? NOTHING);
    }
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#pending.splice(0)) reject(this.#ended);
  }
}

const NOTHING = new Float64Array(0);
