/**
 * The SQLite file: its pragmas, its tables, and who may open it.
 *
 * Tables. `event` holds every kept change, its revision being the rowid; `previous` is the revision of the same key's record before it
 * (0: none). `live` maps each existing key to its newest event. So the state at an old revision R is: `live` rows not newer than R, plus,
 * for each key changed since, the `previous` of its first event after R. No index on (key, revision) is needed, and a write touches two trees.
 * `meta.compacted`: history below it is forgotten; `meta.swept`: up to where the forgotten rows are really deleted.
 */
import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError, sqliteFailure, storeError } from "./store-error.ts";

export type Synchronous = "OFF" | "NORMAL" | "FULL";

const APPLICATION_ID = 0x4b_41_4a_49;
const SCHEMA_VERSION = 1;
/** Half as many make every writer wait half as long while they are copied, and as much is written in a second. */
const WAL_CHECKPOINT_PAGES = 1_000;
const WAL_SIZE_MAX_BYTES = 32 << 20;

const SCHEMA = `
  CREATE TABLE event (revision INTEGER PRIMARY KEY, key TEXT NOT NULL, create_revision INTEGER NOT NULL, previous INTEGER NOT NULL, deleted INTEGER NOT NULL, value BLOB NOT NULL);
  CREATE TABLE live (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, create_revision INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO meta VALUES ('compacted', 0), ('swept', 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};`;

/** One number out of a pragma or a count. */
export function readNumber(db: DatabaseSync, sql: string): number {
  const row = db.prepare(sql).get();
  const value = row === undefined ? undefined : Object.values(row)[0];
  if (typeof value !== "number") throw new Error(`Assertion failed: ${sql} gives no number`);
  return value;
}

/** Creates the tables when the database is empty, and refuses one that is not ours. */
export function ensureSchema(db: DatabaseSync, file: string): void {
  if (readNumber(db, "SELECT count(*) FROM sqlite_schema") === 0) {
    db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    return;
  }
  if (readNumber(db, "PRAGMA application_id") !== APPLICATION_ID) throw new StoreError("not-a-store", `Cannot open store ${JSON.stringify(file)}: it is an SQLite database of another program`);
  const version = readNumber(db, "PRAGMA user_version");
  if (version !== SCHEMA_VERSION) throw new StoreError("newer", `Cannot open store ${JSON.stringify(file)}: its layout is version ${version}, this release reads ${SCHEMA_VERSION}`);
}

/** Opens the writer's connection on `file`, creating it readable by its owner only. Throws StoreError. */
export function openWriterDatabase(file: string, synchronous: Synchronous): DatabaseSync {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { timeout: 0 });
    // auto_vacuum is fixed by the first page written, which journal_mode=WAL does.
    db.exec("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL");
    db.exec(`PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = ${WAL_CHECKPOINT_PAGES}; PRAGMA journal_size_limit = ${WAL_SIZE_MAX_BYTES}; PRAGMA cache_size = -32768`);
    ensureSchema(db, file);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof StoreError) throw error;
    throw storeError("open store", file, sqliteFailure(error));
  }
}

/** Opens a connection that sees what is committed, for the thread that answers reads. */
export function openReaderDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 1_000 });
  db.exec("PRAGMA cache_size = -32768");
  return db;
}

/**
 * Takes the store for this process until the returned function is called or the process ends, however it ends.
 * The lock is the kernel's, on `FILE.lock` (an SQLite database that stays empty), so a kill leaves nothing to clean up.
 */
export function lockStore(file: string): () => void {
  if (existsSync(file) && statSync(file).isDirectory()) throw new StoreError("directory", `Cannot open store ${JSON.stringify(file)}: it is a directory, wanted a file`);
  const lockFile = `${file}.lock`;
  let db: DatabaseSync | undefined;
  try {
    // Only where absent: closing a file this process has open elsewhere would drop the kernel's locks on it. SQLite gives -wal and -shm the same mode.
    for (const path of [file, lockFile]) if (!existsSync(path)) closeSync(openSync(path, "ax", 0o600));
    db = new DatabaseSync(lockFile, { timeout: 0 });
    db.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    db?.close();
    if (error instanceof Error && "syscall" in error) throw new StoreError("permission", `Cannot open store ${JSON.stringify(file)}: ${error.message}`, { cause: error });
    throw storeError("open store", file, sqliteFailure(error));
  }
  const held = db;
  return () => held.close();
}
