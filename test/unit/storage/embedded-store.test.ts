/** How writes are gathered for the writer, over a writer that answers when it is told to. */
import test from "ava";
import { DatabaseSync } from "node:sqlite";
import type { PackedBatch } from "../../../lib/storage/batch.ts";
import { ensureSchema } from "../../../lib/storage/database.ts";
import { EmbeddedStore } from "../../../lib/storage/embedded-store.ts";
import { Reader } from "../../../lib/storage/reader.ts";
import { StoreError } from "../../../lib/storage/store-error.ts";
import { Writer } from "../../../lib/storage/writer.ts";

interface Sent { readonly keys: readonly string[]; readonly answer: () => void; readonly fail: (error: Error) => void }

function gatedStore(): { store: EmbeddedStore; sent: Sent[]; turn: () => Promise<void> } {
  const db = new DatabaseSync(":memory:"), sent: Sent[] = [];
  ensureSchema(db, ":memory:");
  const writer = new Writer(db), submit = (batch: PackedBatch): Promise<Float64Array> => new Promise((resolve, reject) => {
    sent.push({ keys: batch.keys, answer: () => resolve(writer.apply([batch])), fail: reject });
  });
  const store = new EmbeddedStore({ reader: new Reader(db), file: ":memory:", revision: writer.revision, compacted: writer.compacted, link: { submit, compact: async () => {}, sizeBytes: async () => 0, close: async () => {} } });
  return { store, sent, turn: async () => { for (let i = 0; i < 2; i++) await new Promise((resolve) => { setImmediate(resolve); }); } };
}
const put = (store: EmbeddedStore, key: string): Promise<unknown> => store.put(key, Buffer.from("x"));

test("with one batch at work and one waiting, writes gather and go together as soon as one is answered", async (t) => {
  const { store, sent, turn } = gatedStore(), keys = (): string[] => sent.map((each) => each.keys.join(" "));
  const writes = [put(store, "/a"), put(store, "/b")];
  await turn();
  writes.push(put(store, "/c"));
  await turn();
  writes.push(put(store, "/d"));
  await turn();
  writes.push(put(store, "/e"));
  await turn();
  t.deepEqual(keys(), ["/a /b", "/c"]);
  sent[0]!.answer();
  await writes[0];
  await turn();
  t.deepEqual(keys(), ["/a /b", "/c", "/d /e"]);
  sent[1]!.answer();
  sent[2]!.answer();
  await Promise.all(writes);
  t.is((await store.list("/")).records.length, 5);
  await store.close();
});

test("what has gathered is written when the store closes, and refused when the disk fails", async (t) => {
  const closing = gatedStore(), writes: Promise<unknown>[] = [];
  for (const key of ["/a", "/b", "/c"]) { writes.push(put(closing.store, key)); await closing.turn(); }
  const closed = closing.store.close();
  t.deepEqual(closing.sent.map((each) => each.keys), [["/a"], ["/b"], ["/c"]]);
  for (const each of closing.sent) each.answer();
  await Promise.all([closed, ...writes]);

  const failing = gatedStore(), refused: Promise<unknown>[] = [];
  for (const key of ["/a", "/b", "/c"]) { refused.push(t.throwsAsync(put(failing.store, key), { instanceOf: StoreError })); await failing.turn(); }
  t.is(failing.sent.length, 2);
  failing.sent[0]!.fail(new StoreError("io", "the disk is gone"));
  failing.sent[1]!.fail(new StoreError("io", "the disk is gone"));
  await Promise.all(refused);
  await t.throwsAsync(put(failing.store, "/d"), { instanceOf: StoreError });
  await failing.store.close();
});
