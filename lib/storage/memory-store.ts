/**
 * The store in memory, for tests that boot the API server in process: the same reader, writer and batches over an SQLite database without a file.
 * Nothing survives `close`. Only durability differs, so the contract suite runs against both.
 */
import { DatabaseSync } from "node:sqlite";
import { ensureSchema, readNumber } from "./database.ts";
import { EmbeddedStore, type EmbeddedStoreOptions } from "./embedded-store.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

export class MemoryStore extends EmbeddedStore {
  constructor(options: EmbeddedStoreOptions = {}) {
    const db = new DatabaseSync(":memory:");
    ensureSchema(db, ":memory:");
    const writer = new Writer(db), reader = new Reader(db);
    super({
      reader, file: ":memory:", revision: writer.revision, compacted: writer.compacted,
      link: {
        submit: async (batch) => writer.apply([batch]),
        compact: async (revision) => { writer.compact(revision); while (writer.sweep()); },
        sizeBytes: async () => readNumber(db, "PRAGMA page_count") * readNumber(db, "PRAGMA page_size"),
        close: async () => {}, // The reader's close has closed the database they share.
      },
    }, options);
  }
}
