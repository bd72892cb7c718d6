import test from "ava";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { forgetTornResults, freeTornLeases } from "../../../lib/host/cni-notes.ts";

let directory: string;
test.beforeEach(() => { directory = mkdtempSync(path.join(os.tmpdir(), "cni-notes-")); });
test.afterEach.always(() => rmSync(directory, { recursive: true }));

test.serial("forgetTornResults() takes what cannot be read, of that sandbox alone", async (t) => {
  const write = (name: string, text: string): void => writeFileSync(path.join(directory, name), text);
  write("kaji-aa-eth0", ""); write("other-aa-net1", '{"cniVersion":"0.4'); write("kaji-aa-eth1", '{"kind":"cniCacheV1"}'); write("kaji-bb-eth0", "");
  t.false(await forgetTornResults("cc", directory));
  t.true(await forgetTornResults("aa", directory));
  t.deepEqual(readdirSync(directory).toSorted(), ["kaji-aa-eth1", "kaji-bb-eth0"]);
  t.false(await forgetTornResults("aa", directory), "nothing is torn any more");
  t.false(await forgetTornResults("aa", path.join(directory, "none")));
});

test.serial("freeTornLeases() frees addresses without an owner that were lent before the boot", async (t) => {
  const bootedMs = Date.now() - 60_000, network = path.join(directory, "kaji");
  mkdirSync(network);
  const write = (name: string, text: string, agoMs: number): void => { writeFileSync(path.join(network, name), text); const at = (Date.now() - agoMs) / 1_000; utimesSync(path.join(network, name), at, at); };
  write("10.244.0.2", "", 120_000); write("10.244.0.3", "\0\0\0\0", 120_000); write("10.244.0.4", "id\r\neth0", 120_000); write("10.244.0.5", "", 0); write("fd00::7", "", 120_000);
  write("last_reserved_ip.0", "", 120_000); write("lock", "", 120_000);
  t.deepEqual((await freeTornLeases(bootedMs, directory)).toSorted(), ["10.244.0.2", "10.244.0.3", "fd00::7"]);
  t.deepEqual(readdirSync(network).toSorted(), ["10.244.0.4", "10.244.0.5", "last_reserved_ip.0", "lock"]);
  t.deepEqual(await freeTornLeases(bootedMs, path.join(directory, "none")), []);
});
