/**
 * The one writer: assigns revisions, applies batches, forgets history. It owns its connection and runs wherever that lives.
 *
 * Guarantees: a batch is one transaction; each compare-and-swap in it sees the batch's earlier rows and, failing, changes nothing;
 * when a batch throws, none of it happened and no revision is used up.
 * Work that may be long (deleting forgotten rows, giving pages back) is cut into steps, so that writes pass between them.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { ANY, RESULT_STRIDE, unpackBatch, type PackedBatch } from "./batch.ts";
import { readNumber } from "./database.ts";

/** etcd's first revision: an empty store is at 1, its first write gets 2. */
export const FIRST_REVISION = 1;
const SWEEP_STEP_REVISIONS = 500;
const VACUUM_STEP_PAGES = 512;
/** Free pages are kept for reuse up to this many, or a quarter of the file. */
const FREE_PAGES_MAX = 2_048;

export class Writer {
  readonly #db: DatabaseSync;
  readonly #selectLive: StatementSync;
  readonly #insertEvent: StatementSync;
  readonly #insertLive: StatementSync;
  readonly #updateLive: StatementSync;
  readonly #deleteLive: StatementSync;
  #revision: number;
  #compacted: number;
  #swept: number;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#selectLive = db.prepare("SELECT revision, create_revision FROM live WHERE key = ?");
    this.#selectLive.setReturnArrays(true);
    this.#insertEvent = db.prepare("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)");
    this.#insertLive = db.prepare("INSERT INTO live VALUES (?, ?, ?)");
    this.#updateLive = db.prepare("UPDATE live SET revision = ? WHERE key = ?");
    this.#deleteLive = db.prepare("DELETE FROM live WHERE key = ?");
    this.#compacted = readNumber(db, "SELECT value FROM meta WHERE name = 'compacted'");
    this.#swept = readNumber(db, "SELECT value FROM meta WHERE name = 'swept'");
    // The newest event may be a forgotten deletion whose row is gone; its revision is never given out again.
    this.#revision = Math.max(FIRST_REVISION, this.#compacted, readNumber(db, "SELECT coalesce(max(revision), 0) FROM event"));
  }

  get revision(): number { return this.#revision; }
  get compacted(): number { return this.#compacted; }

  /** Applies the batches in order as one transaction, durable on return. Returns RESULT_STRIDE numbers a write. */
  apply(batches: readonly PackedBatch[]): Float64Array<ArrayBuffer> {
    const before = this.#revision;
    const results = new Float64Array(batches.reduce((sum, batch) => sum + batch.keys.length, 0) * RESULT_STRIDE);
    let at = 0;
    this.#transaction(() => {
      for (const batch of batches) {
        for (const { key, value, expected } of unpackBatch(batch)) {
          this.#write(key, value, expected, results.subarray(at, at + RESULT_STRIDE));
          at += RESULT_STRIDE;
        }
      }
    }, () => { this.#revision = before; });
    return results;
  }

  /** Forgets history below `revision`, durably; the rows go in `sweep` steps. */
  compact(revision: number): void {
    if (revision <= this.#compacted) return;
    this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'compacted'").run(revision);
    this.#compacted = revision;
  }

  /** One step of house-keeping. Returns whether more is to do. */
  sweep(): boolean {
    if (this.#swept < this.#compacted) {
      const from = this.#swept, to = Math.min(this.#compacted, from + SWEEP_STEP_REVISIONS);
      this.#transaction(() => {
        this.#db.prepare("DELETE FROM event WHERE revision IN (SELECT previous FROM event WHERE revision > ? AND revision <= ? AND previous <> 0)").run(from, to);
        this.#db.prepare("DELETE FROM event WHERE revision > ? AND revision <= ? AND deleted = 1").run(from, to);
        this.#db.prepare("UPDATE meta SET value = ? WHERE name = 'swept'").run(to);
        this.#swept = to;
      }, () => { this.#swept = from; });
      return true;
    }
    const free = readNumber(this.#db, "PRAGMA freelist_count");
    if (free <= Math.max(FREE_PAGES_MAX, readNumber(this.#db, "PRAGMA page_count") / 4)) return false;
    this.#db.exec(`PRAGMA incremental_vacuum(${VACUUM_STEP_PAGES})`);
    return true;
  }

  /** Folds the log into the file and closes. */
  close(): void {
    this.#db.close();
  }

  #write(key: string, value: Buffer | undefined, expected: number, result: Float64Array): void {
    const found = this.#selectLive.get(key) as unknown as [number, number] | undefined;
    const previous = found?.[0] ?? 0;
    result[1] = previous;
    result[2] = found?.[1] ?? 0;
    if ((expected !== ANY && expected !== previous) || (value === undefined && found === undefined)) return;
    const revision = ++this.#revision;
    result[0] = revision;
    this.#insertEvent.run(revision, key, found?.[1] ?? revision, previous, value === undefined ? 1 : 0, value ?? EMPTY);
    if (value === undefined) this.#deleteLive.run(key);
    else if (found === undefined) this.#insertLive.run(key, revision, revision);
    else this.#updateLive.run(revision, key);
  }

  #transaction(work: () => void, undo: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      undo();
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

const EMPTY = Buffer.alloc(0);
