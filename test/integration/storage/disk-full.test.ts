/** A disk that fills up: writes are refused by name, reads go on, nothing acknowledged is lost, and freed space heals it without a restart. Needs root for a tmpfs. */
import test from "ava";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, rmdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { openSqliteStore } from "../../../lib/storage/sqlite-store.ts";
import { StoreError } from "../../../lib/storage/store-error.ts";

const rootTest = process.getuid?.() === 0 ? test : test.skip;

rootTest("a full disk refuses writes until there is space, and loses nothing", async (t) => {
  const disk = mkdtempSync(path.join(tmpdir(), "full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", disk]);
  try {
    const ballast = path.join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(3 << 20));
    let failures = 0;
    const store = await openSqliteStore({ file: path.join(disk, "state.db"), onFailure: () => { failures++; } });
    const written: string[] = [];
    let refusal: unknown;
    while (refusal === undefined && written.length < 10_000) {
      const key = `/k/${written.length}`;
      try { await store.put(key, Buffer.alloc(20_000, "x")); written.push(key); }
      catch (error) { refusal = error; }
    }
    t.true(refusal instanceof StoreError && refusal.failure === "full" && /disk is full/.test(refusal.message), String(refusal));
    t.is((await store.list("/k/")).records.length, written.length);
    rmSync(ballast);
    const { modRevision } = await store.put("/k/healed", Buffer.from("x"));
    t.is(modRevision, written.length + 2); // The refused write used up no revision.
    t.is(failures, 0);
    await store.close();
    const again = await openSqliteStore({ file: path.join(disk, "state.db") });
    t.is((await again.list("/k/")).records.length, written.length + 1);
    await again.close();
  } finally {
    execFileSync("umount", [disk]);
    rmdirSync(disk);
  }
});
