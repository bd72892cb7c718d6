import test from "ava";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileContent, parseInspection, partialFile, resumeOffset } from "../../../../lib/install/remote/upload.ts";

test("parseInspection() reads the free bytes of df, whatever the mount is called", (t) => {
  t.deepEqual(parseInspection("differs 42\n/dev/vda1  20480000 10000000 2048 98% /mnt/a b\n"), { kind: "differs", partialBytes: 42, freeBytes: 2048 * 1024, mount: "/mnt/a b" });
  t.deepEqual(parseInspection("differs 0\n"), { kind: "differs", partialBytes: 0, freeBytes: undefined, mount: "/" }); // A df that knows nothing forbids nothing.
  t.deepEqual(parseInspection("same\n"), { kind: "same" });
});

test("parseInspection() throws on what it does not know", (t) => {
  t.throws(() => parseInspection("Welcome to vm1!\n"), { message: /Cannot read what the host said/ });
});

test("resumeOffset() goes on behind a part, and begins anew where the part is longer than the whole", (t) => {
  t.is(resumeOffset(10, 100), 10);
  t.is(resumeOffset(100, 100), 100);
  t.is(resumeOffset(101, 100), 0);
});

test("partialFile() lies in the same folder, names the content and stays within a name's length", (t) => {
  t.is(partialFile("/usr/local/bin/kaji", "0123456789abcdef0000"), "/usr/local/bin/.kaji.kaji-0123456789abcdef.part");
  t.true(partialFile(`/a/${"x".repeat(255)}`, "0".repeat(64)).split("/").at(-1)!.length <= 255);
});

test("fileContent() sums a file anew when it changed, and rejects one that is not there", async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), "kaji-content-")), file = path.join(directory, "program");
  t.teardown(() => rmSync(directory, { recursive: true }));
  writeFileSync(file, "one");
  utimesSync(file, 1, 1);
  const first = await fileContent(file);
  t.is((await fileContent(file)).sha256, first.sha256);
  writeFileSync(file, "two");
  utimesSync(file, 2, 2);
  t.not((await fileContent(file)).sha256, first.sha256);
  await t.throwsAsync(fileContent(path.join(directory, "none")), { code: "ENOENT" });
});
