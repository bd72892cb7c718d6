import test from "ava";
import { DatabaseSync } from "node:sqlite";
import { ANY, RESULT_STRIDE, packBatch, unpackBatch } from "../../../lib/storage/batch.ts";
import { ensureSchema, readNumber } from "../../../lib/storage/database.ts";
import { Writer } from "../../../lib/storage/writer.ts";

function memory(): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  ensureSchema(db, ":memory:");
  return db;
}
const put = (key: string, size = 1): { key: string; value: Buffer; expected: number } => ({ key, value: Buffer.alloc(size), expected: ANY });

test("packBatch() and unpackBatch() carry deletions, empty values and slices unchanged", (t) => {
  const requests = [{ key: "/a", value: Buffer.from("xyz").subarray(1), expected: 3 }, { key: "/b", value: undefined, expected: ANY }, { key: "/c", value: Buffer.alloc(0), expected: 0 }];
  t.deepEqual([...unpackBatch(packBatch(requests))], requests);
});

test("Writer.apply() that throws has changed nothing and used up no revision", (t) => {
  const db = memory(), writer = new Writer(db);
  writer.apply([packBatch([put("/a")])]);
  db.exec("CREATE TRIGGER refuse BEFORE INSERT ON live WHEN NEW.key = '/bad' BEGIN SELECT raise(ABORT, 'refused'); END");
  t.throws(() => writer.apply([packBatch([put("/b"), put("/bad")])]), { message: /refused/ });
  t.is(writer.revision, 2);
  t.is(readNumber(db, "SELECT count(*) FROM event"), 1);
  t.is(writer.apply([packBatch([put("/c")])])[0], 3);
});

test("Writer.sweep() leaves one row for each live key, in steps, and goes on after a crash in between", (t) => {
  const db = memory();
  let writer = new Writer(db);
  for (let i = 0; i < 30; i++) writer.apply([packBatch(Array.from({ length: 100 }, (_, k) => put(`/k/${k}`)))]);
  writer.apply([packBatch([{ key: "/k/0", value: undefined, expected: ANY }])]);
  writer.compact(writer.revision);
  t.true(writer.sweep());
  writer = new Writer(db); // As after a restart.
  let steps = 1;
  while (writer.sweep()) steps++;
  t.true(steps > 3);
  t.is(readNumber(db, "SELECT count(*) FROM event"), 99);
  t.is(readNumber(db, "SELECT count(*) FROM live JOIN event USING (revision)"), 99);
  t.is(writer.revision, 3_002); // The newest change was a deletion whose row is gone.
});

test("Writer.apply() answers with what it found: RESULT_STRIDE numbers a write", (t) => {
  const writer = new Writer(memory());
  const results = writer.apply([packBatch([put("/a"), put("/a")]), packBatch([{ key: "/a", value: Buffer.alloc(1), expected: 2 }])]);
  t.is(RESULT_STRIDE, 3);
  t.deepEqual([...results], [2, 0, 0, 3, 2, 2, 0, 3, 2]);
});
