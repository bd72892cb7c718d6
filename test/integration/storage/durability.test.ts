/**
 * What "acknowledged" is worth. A kill shows that a crash of ours loses nothing; only a power cut shows that the disk was asked to sync.
 * The power cut: the store lives on a file system on a loop device, and what the loop's image holds at that moment is what a disk would
 * hold, since unsynced pages are still above it. Run with `synchronous=OFF` as well, to show that the test would see a loss. Needs root.
 */
import test from "ava";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { openSqliteStore } from "../../../lib/storage/sqlite-store.ts";

const directory = mkdtempSync(path.join(tmpdir(), "durability-"));
const mounts: string[] = [];
test.after.always(() => {
  for (const mount of mounts) execFileSync("umount", [mount]);
  rmSync(directory, { recursive: true });
});

interface Writer { child: ChildProcess; acknowledged: Map<string, number>; done: Promise<void>; first: Promise<void> }
function startWriter(file: string, synchronous: string, count: number): Writer {
  const child = spawn(process.execPath, ["--no-warnings", path.join(import.meta.dirname, "acknowledging-writer.ts"), file, synchronous, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
  const acknowledged = new Map<string, number>(), lines = createInterface({ input: child.stdout });
  const done = new Promise<void>((resolve) => lines.on("line", (line) => {
    const [key, revision] = line.split(" ");
    if (revision === undefined) resolve();
    else acknowledged.set(key!, Number(revision));
  }));
  return { child, acknowledged, done, first: once(lines, "line").then(() => {}) };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "close");
  child.kill("SIGKILL");
  await exited;
}

/** How many of the acknowledged writes the store in `file` does not have. */
async function lost(file: string, acknowledged: ReadonlyMap<string, number>): Promise<number> {
  const store = await openSqliteStore({ file });
  let missing = 0;
  for (const [key, revision] of acknowledged) {
    const record = await store.get(key);
    if (record?.modRevision !== revision || record.value.toString() !== key.repeat(50)) missing++;
  }
  await store.close();
  return missing;
}

test("a writer killed at any moment has lost nothing it acknowledged", async (t) => {
  const file = path.join(directory, "killed.db"), all = new Map<string, number>();
  for (let round = 0; round < 6; round++) {
    const writer = startWriter(file, "FULL", 1_000_000);
    await writer.first;
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    await kill(writer.child);
    for (const [key, revision] of writer.acknowledged) all.set(key, revision);
    t.is(await lost(file, all), 0, `round ${round}`);
  }
  t.true(all.size > 100, `only ${all.size} writes were acknowledged`);
  t.is(new Set(all.values()).size, all.size, "a revision was given out twice");
});

/** Mounts an image; unmounted when the tests end, if not before. */
function mount(image: string, name: string): string {
  const at = path.join(directory, name);
  mkdirSync(at);
  execFileSync("mount", ["-o", "loop,commit=300", image, at]); // The file system must not sync by itself meanwhile.
  mounts.push(at);
  return at;
}
function unmount(at: string): void {
  execFileSync("umount", [at]);
  mounts.splice(mounts.indexOf(at), 1);
}

/** Cuts the power after `count` acknowledged writes; returns how many of them are gone. */
async function lostByPowerCut(synchronous: string, count: number): Promise<number> {
  const image = path.join(directory, `${synchronous}.img`), after = path.join(directory, `${synchronous}-after.img`);
  execFileSync("truncate", ["-s", "48M", image]);
  execFileSync("mkfs.ext4", ["-q", image]);
  const disk = mount(image, `${synchronous}-disk`);
  const writer = startWriter(path.join(disk, "state.db"), synchronous, count);
  await writer.done;
  copyFileSync(image, after); // The moment of the cut.
  await kill(writer.child);
  unmount(disk);
  const found = mount(after, `${synchronous}-found`);
  const missing = await lost(path.join(found, "state.db"), writer.acknowledged);
  unmount(found);
  return missing;
}

const rootTest = process.getuid?.() === 0 ? test : test.skip;
rootTest("a power cut loses nothing acknowledged with synchronous=FULL, and the same cut does lose writes with OFF", async (t) => {
  t.is(await lostByPowerCut("FULL", 500), 0);
  t.true(await lostByPowerCut("OFF", 500) > 0, "this test would not notice a missing fsync");
});
