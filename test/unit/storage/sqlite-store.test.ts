import test from "ava";
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import type { Logger } from "../../../lib/util/logger.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { openSqliteStore } from "../../../lib/storage/sqlite-store.ts";
import { testStoreContract } from "./contract.ts";

const directory = mkdtempSync(path.join(tmpdir(), "store-"));
test.after.always(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = (): string => path.join(directory, `${++files}.db`);

testStoreContract(test, "openSqliteStore()", () => openSqliteStore({ file: newFile() }));

test("openSqliteStore() writes with synchronous=FULL (2), read back from the writer's own connection", async (t) => {
  const opened: Record<string, unknown>[] = [];
  const log: Logger = { ...silentLogger, info: (fields) => { opened.push(fields); } };
  await (await openSqliteStore({ file: newFile(), log })).close();
  t.is(opened[0]?.["synchronous"], 2);
});

test("a store closed and opened again has its records, its revision and its compaction", async (t) => {
  const file = newFile(), first = await openSqliteStore({ file });
  await first.put("/a", Buffer.from("1"));
  await first.put("/b", Buffer.from("1"));
  await first.delete("/b"); // 4
  await first.compact(4);
  await first.close();
  const second = await openSqliteStore({ file });
  t.is(await second.currentRevision(), 4);
  t.deepEqual((await second.list("")).records.map((r) => r.key), ["/a"]);
  await t.throwsAsync(second.get("/a", { revision: 3 }), { message: /history up to 4 is compacted/ });
  t.is((await second.put("/c", Buffer.from("1"))).modRevision, 5);
  await second.close();
});

test("openSqliteStore() makes its files readable by their owner only", async (t) => {
  const file = newFile(), store = await openSqliteStore({ file });
  await store.put("/a", Buffer.from("1"));
  for (const suffix of ["", "-wal", "-shm", ".lock"]) t.is(statSync(file + suffix).mode & 0o777, 0o600, suffix);
  await store.close();
});

test("openSqliteStore() refuses a file another process or store has open, and takes it when that is gone", async (t) => {
  const file = newFile(), store = await openSqliteStore({ file });
  await t.throwsAsync(openSqliteStore({ file }), { name: "StoreError", message: /another process has it open/ });
  const other = path.join(directory, "other.mjs");
  writeFileSync(other, `import { openSqliteStore } from ${JSON.stringify(path.resolve("lib/storage/sqlite-store.ts"))}; await openSqliteStore({ file: process.argv[2] });`);
  await t.throwsAsync(promisify(execFile)(process.execPath, ["--no-warnings", other, file]), { message: /another process has it open/ });
  await store.close();
  await (await openSqliteStore({ file })).close();
});

test("openSqliteStore() says what is wrong with a file that cannot be a store", async (t) => {
  const folder = newFile();
  mkdirSync(folder);
  await t.throwsAsync(openSqliteStore({ file: folder }), { message: `Cannot open store ${JSON.stringify(folder)}: it is a directory, wanted a file` });
  await t.throwsAsync(openSqliteStore({ file: path.join(directory, "missing", "x.db") }), { name: "StoreError", message: /ENOENT/ });

  const text = newFile();
  writeFileSync(text, "this is not a database, it is text and rather longer than a header".repeat(20));
  await t.throwsAsync(openSqliteStore({ file: text }), { message: /the file is not a store of this program/ });
  t.true(readFileSync(text, "utf8").startsWith("this is not")); // And left alone.

  const foreign = newFile(), db = new DatabaseSync(foreign);
  db.exec("CREATE TABLE recipes (name TEXT)");
  db.close();
  await t.throwsAsync(openSqliteStore({ file: foreign }), { message: /SQLite database of another program/ });

  const newer = newFile();
  await (await openSqliteStore({ file: newer })).close();
  const raise = new DatabaseSync(newer);
  raise.exec("PRAGMA user_version = 99");
  raise.close();
  await t.throwsAsync(openSqliteStore({ file: newer }), { message: /its layout is version 99, this release reads 1/ });
});

test("a damaged page is told as damage, with what to do", async (t) => {
  const file = newFile(), store = await openSqliteStore({ file });
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.put(`/k/${i}`, Buffer.alloc(500, "x"))));
  await store.close();
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(200_000, 0xa5), 0, undefined, 16_384);
  const again = await openSqliteStore({ file }).catch((error: unknown) => error as Error);
  const error = again instanceof Error ? again : await t.throwsAsync(again.list("/k/"));
  t.regex(error!.message, /the database is damaged .*; restore it from a backup/);
  if (!(again instanceof Error)) await again.close();
});

test("the file stays bounded: 20,000 updates of 100 objects with a short history take no more than the first 4,000 did", async (t) => {
  const store = await openSqliteStore({ file: newFile(), historyRevisionsMax: 1_000 });
  const update = (rounds: number): Promise<unknown> => Array.from({ length: rounds }).reduce<Promise<unknown>>(
    (before) => before.then(() => Promise.all(Array.from({ length: 100 }, (_, i) => store.put(`/k/${i}`, Buffer.alloc(2_000, "x"))))), Promise.resolve());
  await update(40);
  const early = await store.sizeBytes();
  await update(160);
  const late = await store.sizeBytes();
  t.true(late < early * 1.5 + (4 << 20), `${early} -> ${late} bytes`);
  t.is((await store.list("/k/")).records.length, 100);
  await t.throwsAsync(store.get("/k/1", { revision: 100 }), { name: "CompactedError" });
  await store.close();
});
