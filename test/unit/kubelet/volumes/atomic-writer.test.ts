import test from "ava";
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { checkPayloadPath, writeAtomically, type Payload } from "../../../../lib/kubelet/volumes/atomic-writer.ts";
import { prepareHostPath } from "../../../../lib/kubelet/volumes/host-path.ts";

const payload = (files: Record<string, string>, mode = 0o644): Payload => new Map(Object.entries(files).map(([name, text]) => [name, { data: Buffer.from(text), mode }]));
const directory = (): Promise<string> => mkdtemp(path.join(tmpdir(), "atomic-"));
const NOW = new Date("2026-01-01T00:00:00Z");

test("writeAtomically() shows files through ..data, in directories too", async (t) => {
  const target = await directory();
  t.true(await writeAtomically(target, payload({ a: "1", "deep/b": "2" }), NOW));
  t.is(await readFile(path.join(target, "deep/b"), "utf8"), "2");
  t.is(await readlink(path.join(target, "a")), "..data/a");
  t.regex(await readlink(path.join(target, "..data")), /^\.\.2026_01_01_00_00_00\./);
  t.is((await stat(path.join(target, "a"))).mode & 0o777, 0o644);
  await rm(target, { recursive: true });
});

test("writeAtomically() switches all files at once, drops what went and the old directory", async (t) => {
  const target = await directory();
  await writeAtomically(target, payload({ a: "1", gone: "x" }), NOW);
  const before = await readlink(path.join(target, "..data"));
  t.true(await writeAtomically(target, payload({ a: "2", b: "3" }), NOW));
  t.not(await readlink(path.join(target, "..data")), before);
  t.deepEqual((await readdir(target)).filter((name) => !name.startsWith("..")).sort(), ["a", "b"]);
  t.is((await readdir(target)).filter((name) => name.startsWith("..")).length, 2);
  t.is(await readFile(path.join(target, "a"), "utf8"), "2");
  await rm(target, { recursive: true });
});

test("writeAtomically() leaves unchanged content alone", async (t) => {
  const target = await directory();
  await writeAtomically(target, payload({ a: "1" }), NOW);
  const before = (await lstat(path.join(target, "..data"))).ino;
  t.false(await writeAtomically(target, payload({ a: "1" }), NOW));
  t.is((await lstat(path.join(target, "..data"))).ino, before);
  t.true(await writeAtomically(target, payload({ a: "1" }, 0o755), NOW));
  await rm(target, { recursive: true });
});

test("writeAtomically() gives files to a group and lets it read them", async (t) => {
  const target = await directory();
  await writeAtomically(target, payload({ a: "1" }, 0o400), NOW, process.getgid!());
  const file = await stat(path.join(target, "a"));
  t.deepEqual([file.gid, file.mode & 0o777], [process.getgid!(), 0o440]);
  t.false(await writeAtomically(target, payload({ a: "1" }, 0o400), NOW, process.getgid!()));
  await rm(target, { recursive: true });
});

test("checkPayloadPath() refuses paths that leave the volume or hide in it", (t) => {
  for (const file of ["", "/a", "../a", "a/../b", "..data"]) t.throws(() => checkPayloadPath(file), { message: /^invalid path/ }, file);
  t.notThrows(() => checkPayloadPath("a/..b"));
});

test("prepareHostPath() checks the type and makes what may be made", async (t) => {
  const target = await directory(), missing = path.join(target, "new");
  await t.throwsAsync(prepareHostPath({ path: missing, type: "Directory" }), { message: `hostPath type check failed: ${missing} is not a directory` });
  await prepareHostPath({ path: path.join(missing, "d"), type: "DirectoryOrCreate" });
  await prepareHostPath({ path: path.join(missing, "d", "f"), type: "FileOrCreate" });
  await t.throwsAsync(prepareHostPath({ path: path.join(missing, "d"), type: "File" }), { message: /is not a file$/ });
  await t.throwsAsync(prepareHostPath({ path: target, type: "Socket" }), { message: /is not a socket file$/ });
  await t.notThrowsAsync(prepareHostPath({ path: "/nowhere" }));
  await rm(target, { recursive: true });
});
