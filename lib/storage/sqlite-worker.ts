/**
 * The writer's thread: takes whatever messages are waiting, makes one transaction of their writes, answers once.
 * So a batch grows by itself while the disk syncs the one before, and an idle store does nothing at all.
 */
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { PackedBatch } from "./batch.ts";
import { openWriterDatabase, readNumber, type Synchronous } from "./database.ts";
import { StoreError, isFatal, sqliteFailure, storeError, type StoreFailure } from "./store-error.ts";
import { Writer } from "./writer.ts";

export interface WorkerData { readonly file: string; readonly synchronous: Synchronous }
export type ToWorker = { kind: "write"; batch: PackedBatch } | { kind: "compact"; revision: number } | { kind: "close" };
export interface Failure { readonly failure: StoreFailure; readonly message: string }
export type FromWorker =
  | { kind: "ready"; revision: number; compacted: number; synchronous: number }
  | { kind: "unusable"; error: Failure }
  /** Answers the next `count` messages; `results` for writes. */
  | { kind: "done"; count: number; results?: Float64Array<ArrayBuffer>; error?: Failure };

/** Above these, waiting messages go into the next transaction. */
const TRANSACTION_WRITES_MAX = 4_096;
const TRANSACTION_BYTES_MAX = 32 << 20;

const port = parentPort!;
const { file, synchronous } = workerData as WorkerData;
const reply = (message: FromWorker): void => port.postMessage(message, message.kind === "done" && message.results !== undefined ? [message.results.buffer] : []);
let broken: Failure | undefined;

function failureOf(action: string, error: unknown): Failure {
  const failure = sqliteFailure(error);
  const { failure: kind, message } = storeError(action, file, failure);
  if (isFatal(failure)) broken ??= { failure: kind, message };
  return { failure: kind, message };
}

function write(writer: Writer, batches: readonly PackedBatch[]): void {
  if (batches.length === 0) return;
  if (broken !== undefined) return reply({ kind: "done", count: batches.length, error: broken });
  try { reply({ kind: "done", count: batches.length, results: writer.apply(batches) }); }
  catch (error) { reply({ kind: "done", count: batches.length, error: failureOf("write to store", error) }); }
}

function compact(writer: Writer, revision: number): void {
  try { writer.compact(revision); }
  catch (error) { return reply({ kind: "done", count: 1, error: failureOf("compact store", error) }); }
  reply({ kind: "done", count: 1 });
  sweep(writer);
}

let sweeping = false;
function sweep(writer: Writer): void {
  if (sweeping) return;
  sweeping = true;
  setImmediate(() => {
    sweeping = false;
    if (broken !== undefined || closed) return;
    try { if (writer.sweep()) sweep(writer); }
    catch (error) { failureOf("compact store", error); } // A full disk: the next compaction goes on from here. Worse is told with the next write.
  });
}

let closed = false;
/** Handles `first` and what else is waiting, up to one transaction's worth. */
function handle(writer: Writer, first: ToWorker): void {
  let batches: PackedBatch[] = [], writes = 0, bytes = 0;
  for (let message: ToWorker | undefined = first; message !== undefined; message = receiveMessageOnPort(port)?.message as ToWorker | undefined) {
    if (message.kind === "write") {
      batches.push(message.batch);
      writes += message.batch.keys.length;
      bytes += message.batch.data.byteLength;
      if (writes < TRANSACTION_WRITES_MAX && bytes < TRANSACTION_BYTES_MAX) continue;
    }
    write(writer, batches);
    batches = []; writes = 0; bytes = 0;
    if (message.kind === "compact") compact(writer, message.revision);
    if (message.kind === "close") {
      closed = true;
      writer.close();
      reply({ kind: "done", count: 1 });
      return port.close();
    }
  }
  write(writer, batches);
}

try {
  const db = openWriterDatabase(file, synchronous);
  const writer = new Writer(db);
  port.on("message", (message: ToWorker) => handle(writer, message));
  reply({ kind: "ready", revision: writer.revision, compacted: writer.compacted, synchronous: readNumber(db, "PRAGMA synchronous") });
  sweep(writer); // What a crash left half forgotten.
} catch (error) {
  const { failure, message } = error instanceof StoreError ? error : storeError("open store", file, sqliteFailure(error));
  reply({ kind: "unusable", error: { failure, message } });
}
