/**
 * What can go wrong with the store itself, in words for the person who runs it. `RevisionConflictError` and its
 * siblings in `store.ts` are answers; these are failures.
 */
export type StoreFailure = "locked" | "directory" | "not-a-store" | "corrupt" | "full" | "io" | "permission" | "closed" | "newer";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly failure: StoreFailure;
  constructor(failure: StoreFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.failure = failure;
  }
}

/** SQLite's primary result codes that we can explain. https://sqlite.org/rescode.html */
const BUSY = 5, READONLY = 8, IOERR = 10, CORRUPT = 11, FULL = 13, CANTOPEN = 14, NOTADB = 26;

/** An SQLite failure as it crosses from the writer's thread. */
export interface SqliteFailure { errcode: number; message: string }

/** Reads what node:sqlite threw; anything else is our own bug and is thrown on. */
export function sqliteFailure(error: unknown): SqliteFailure {
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") return { errcode: error.errcode, message: error.message };
  throw error;
}

/** Whether the file may still be trusted after this failure. A failed fsync must never be retried: the kernel forgets the pages. */
export const isFatal = (failure: SqliteFailure): boolean => { const code = failure.errcode & 0xff; return code !== FULL && code !== BUSY; };

/** Turns an SQLite failure into a sentence with what to do. `action` such as `write to store`. */
export function storeError(action: string, file: string, { errcode, message }: SqliteFailure): StoreError {
  const what = `Cannot ${action} ${JSON.stringify(file)}: `;
  switch (errcode & 0xff) {
    case BUSY: return new StoreError("locked", `${what}another process has it open`);
    case READONLY: return new StoreError("permission", `${what}the file or its directory is read-only`);
    case CORRUPT: return new StoreError("corrupt", `${what}the database is damaged (${message}); restore it from a backup`);
    case NOTADB: return new StoreError("not-a-store", `${what}the file is not a store of this program (${message})`);
    case FULL: return new StoreError("full", `${what}the disk is full; free some space, then writes work again`);
    case CANTOPEN: return new StoreError("permission", `${what}the file cannot be opened (${message}); does its directory exist, and may this user write there`);
    case IOERR: return new StoreError("io", `${what}reading or writing the disk failed (${message}, code ${errcode})`);
    default: return new StoreError("io", `${what}${message} (code ${errcode})`);
  }
}
