/**
 * The store: an ordered map of keys to bytes with one revision counter. etcd's contract, whatever is behind it.
 *
 * Guarantees every backend gives, and `test/unit/storage/contract.ts` checks:
 * - Revisions grow by one with each successful write, in commit order; the writer alone assigns them.
 * - A reply, a read or a watch event shows a write only after it is durable.
 * - A compare-and-swap that fails changes nothing and fails only its own request.
 * - A watch from any kept revision delivers every later change once, in order.
 * - The state at the compacted revision itself stays readable and watchable from, as in etcd; below it reads and watches fail with `CompactedError`.
 * - An empty store is at revision 1, as etcd's, so that no object or list ever carries 0.
 * Counterpart: etcd's KV and Watch services. Values never contain a resourceVersion: it is `modRevision`.
 */
export interface StoreRecord {
  readonly key: string;
  readonly value: Buffer;
  readonly createRevision: number;
  readonly modRevision: number;
}

export type StoreEvent =
  | { readonly type: "put"; readonly record: StoreRecord; readonly previous: StoreRecord | undefined }
  | { readonly type: "delete"; readonly key: string; readonly revision: number; readonly previous: StoreRecord };

export interface ListOptions {
  /** Read the map as it was at this revision; the newest when absent. */
  revision?: number;
  /** At most this many records. */
  limit?: number;
  /** Start at this key (inclusive) instead of the first under the prefix. */
  startKey?: string;
}

export interface ListResult {
  readonly records: readonly StoreRecord[];
  /** The revision the list shows. */
  readonly revision: number;
  /** Records under the prefix after the last returned one; 0 when complete. */
  readonly remaining: number;
}

export interface PutOptions {
  /** Write only if the key's modRevision is this; 0 means the key must not exist. Absent: unconditional. */
  expectedRevision?: number;
}

export interface Store {
  /** Newest durable revision known to this process. */
  currentRevision(): Promise<number>;
  get(key: string, options?: { revision?: number }): Promise<StoreRecord | undefined>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /** Resolves with the new record once durable. Throws RevisionConflictError. */
  put(key: string, value: Buffer, options?: PutOptions): Promise<StoreRecord>;
  /** Resolves with the revision of the deletion and the deleted record, or undefined when the key does not exist, whatever was expected. Throws RevisionConflictError. */
  delete(key: string, options?: { expectedRevision?: number }): Promise<{ revision: number; previous: StoreRecord } | undefined>;
  /**
   * Delivers batches of changes with a revision > `afterRevision` under `prefix` until `signal` aborts.
   * The callback is called in commit order, synchronously, before the write's own promise resolves.
   * Resolves on abort or close. Rejects with CompactedError, or with what the callback threw.
   */
  watch(prefix: string, afterRevision: number, onEvents: (events: readonly StoreEvent[]) => void, signal: AbortSignal): Promise<void>;
  /** Forgets every change that the state at `revision` no longer shows. Older than an earlier compaction: nothing to do. Throws FutureRevisionError. */
  compact(revision: number): Promise<void>;
  /** Bytes on disk. */
  sizeBytes(): Promise<number>;
  /** Finishes what was accepted, then closes. */
  close(): Promise<void>;
}

/** A compare-and-swap met another revision; `current` is what is there (undefined: nothing). */
export class RevisionConflictError extends Error {
  override readonly name = "RevisionConflictError";
  readonly current: StoreRecord | undefined;
  constructor(key: string, expected: number, current: StoreRecord | undefined) {
    super(`Cannot write ${JSON.stringify(key)}: expected revision ${expected}, found ${current?.modRevision ?? "no record"}`);
    this.current = current;
  }
}

/** The asked revision is no longer kept. */
export class CompactedError extends Error {
  override readonly name = "CompactedError";
  readonly compactedRevision: number;
  constructor(asked: number, compactedRevision: number) {
    super(`Cannot read at revision ${asked}: history up to ${compactedRevision} is compacted`);
    this.compactedRevision = compactedRevision;
  }
}

/** The asked revision is newer than the store's. */
export class FutureRevisionError extends Error {
  override readonly name = "FutureRevisionError";
  readonly currentRevision: number;
  constructor(asked: number, currentRevision: number) {
    super(`Cannot read at revision ${asked}: the newest is ${currentRevision}`);
    this.currentRevision = currentRevision;
  }
}
