/**
 * Reads as of a revision, from committed data only. Every method is synchronous and leaves no transaction open.
 * The caller has checked that the revision is kept.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { compareKeys, prefixEnd } from "./keys.ts";
import type { StoreEvent, StoreRecord } from "./store.ts";

type Row = [key: string, value: Uint8Array, createRevision: number, modRevision: number];
type EventRow = [...Row, previous: number, deleted: number];

const buffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const toRecord = ([key, value, createRevision, modRevision]: Row | EventRow): StoreRecord => ({ key, value: buffer(value), createRevision, modRevision });

export class Reader {
  readonly #db: DatabaseSync;
  readonly #byRevision: StatementSync;
  readonly #live: StatementSync;
  readonly #changeSince: StatementSync;
  readonly #changesSince: StatementSync;
  readonly #page: StatementSync;
  readonly #count: StatementSync;
  readonly #events: StatementSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
    const prepare = (sql: string): StatementSync => { const statement = db.prepare(sql); statement.setReturnArrays(true); return statement; };
    this.#byRevision = prepare("SELECT key, value, create_revision, revision FROM event WHERE revision = ?");
    this.#live = prepare("SELECT e.key, e.value, e.create_revision, e.revision FROM live l JOIN event e ON e.revision = l.revision WHERE l.key = ? AND l.revision <= ?");
    this.#changeSince = prepare("SELECT previous FROM event WHERE revision > ? AND key = ? ORDER BY revision LIMIT 1");
    this.#changesSince = prepare("SELECT key, previous FROM event WHERE revision > ? AND key >= ? AND key < ? ORDER BY revision");
    this.#page = prepare("SELECT l.key, e.value, e.create_revision, e.revision FROM live l JOIN event e ON e.revision = l.revision WHERE l.key >= ? AND l.key < ? AND l.revision <= ? ORDER BY l.key LIMIT ?");
    this.#count = prepare("SELECT count(*) FROM live WHERE key >= ? AND key < ? AND revision <= ?");
    this.#events = prepare("SELECT key, value, create_revision, revision, previous, deleted FROM event WHERE revision > ? AND revision <= ? AND key >= ? AND key < ? ORDER BY revision LIMIT ?");
  }

  /** The record written at exactly this revision. */
  written(revision: number): StoreRecord | undefined {
    const row = this.#byRevision.get(revision) as unknown as Row | undefined;
    return row === undefined ? undefined : toRecord(row);
  }

  get(key: string, revision: number): StoreRecord | undefined {
    const row = this.#live.get(key, revision) as unknown as Row | undefined;
    if (row !== undefined) return toRecord(row);
    const change = this.#changeSince.get(revision, key) as unknown as [number] | undefined;
    return change === undefined || change[0] === 0 ? undefined : this.written(change[0]);
  }

  /** Records with `from` <= key under `prefix`, in order of key, at most `limit`. */
  list(prefix: string, from: string, revision: number, limit: number): StoreRecord[] {
    const end = prefixEnd(prefix);
    return this.#oneView(() => {
      const rows = (this.#page.all(from, end, revision, limit) as unknown as Row[]).map(toRecord);
      const older = this.#olderThanChange(from, end, revision);
      if (older.length === 0) return rows;
      return [...rows, ...older.map((at) => this.written(at)!)].sort((a, b) => compareKeys(a.key, b.key)).slice(0, limit);
    });
  }

  /** How many records `list` would give without a limit. */
  count(prefix: string, from: string, revision: number): number {
    const end = prefixEnd(prefix);
    return this.#oneView(() => (this.#count.get(from, end, revision) as unknown as [number])[0] + this.#olderThanChange(from, end, revision).length);
  }

  /** Changes with after < revision <= upTo under `prefix`, in order, at most `limit`. */
  events(prefix: string, after: number, upTo: number, limit: number): StoreEvent[] {
    const rows = this.#events.all(after, upTo, prefix, prefixEnd(prefix), limit) as unknown as EventRow[];
    return rows.map((row): StoreEvent => {
      const previous = row[4] === 0 ? undefined : this.written(row[4]);
      return row[5] === 1 ? { type: "delete", key: row[0], revision: row[3], previous: previous! } : { type: "put", record: toRecord(row), previous };
    });
  }

  close(): void { this.#db.close(); }

  #oneView<T>(read: () => T): T {
    this.#db.exec("BEGIN");
    try { return read(); }
    finally { this.#db.exec("COMMIT"); }
  }

  /** Revisions of the records that have been changed since `revision`, as they were then. */
  #olderThanChange(from: string, end: string, revision: number): number[] {
    const first = new Map<string, number>();
    for (const [key, previous] of this.#changesSince.all(revision, from, end) as unknown as [string, number][]) {
      if (!first.has(key)) first.set(key, previous);
    }
    return [...first.values()].filter((previous) => previous !== 0);
  }
}
