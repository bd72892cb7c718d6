import test, { type ExecutionContext } from "ava";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { architectureOf, findProgram, readBundle } from "../../../../lib/install/remote/local-files.ts";

function folderOf(t: ExecutionContext, files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "kaji-files-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), content);
  }
  return folder;
}
const elf = (machine: number): Buffer => { const bytes = Buffer.alloc(64); bytes.write("\x7fELF", "latin1"); bytes.writeUInt16LE(machine, 18); return bytes; };

test("architectureOf() reads what a program is for from the program itself", async (t) => {
  const folder = folderOf(t, { x64: elf(0x3e), arm64: elf(0xb7), other: elf(0xf3), script: "#!/bin/sh\n" });
  t.deepEqual(await Promise.all(["x64", "arm64", "other", "script"].map((file) => architectureOf(path.join(folder, file)))), ["x64", "arm64", undefined, undefined]);
});

test("findProgram() takes the given program that fits, and says what is wrong with one that cannot", async (t) => {
  const folder = folderOf(t, { x64: elf(0x3e), arm64: elf(0xb7), script: "#!/bin/sh\n" }), at = (file: string): string => path.join(folder, file);
  t.is((await findProgram("arm64", [at("x64"), at("arm64")])).file, at("arm64"));
  await t.throwsAsync(findProgram("x64", [at("script")]), { message: /--binary .*script: it is no Linux program for x64 or arm64/ });
  await t.throwsAsync(findProgram("x64", [at("none")]), { message: /there is no such file/ });
});

test("readBundle() lists what is to be carried, and its id changes with any file's name or bytes", async (t) => {
  const folder = folderOf(t, { "packages/libatomic1_12_amd64.deb": "a", "packages/runc_1_amd64.deb": "b", "images/pause.tar": "c", "etcd/etcd.deb": "d", SHA256SUMS: "e" }), first = await readBundle(folder, "x64");
  t.deepEqual([first.files, first.bytes, first.library], [["packages/libatomic1_12_amd64.deb", "packages/runc_1_amd64.deb", "images/pause.tar"], 3, "packages/libatomic1_12_amd64.deb"]);
  t.is((await readBundle(folder, "x64")).id, first.id);
  writeFileSync(path.join(folder, "images/pause.tar"), "C");
  t.not((await readBundle(folder, "x64")).id, first.id);
});

test("readBundle() finds the bundle of each architecture, and refuses another's, a file, and what is none", async (t) => {
  const folder = folderOf(t, { "b-x64/packages/a_1_amd64.deb": "", "b-arm64/packages/a_1_arm64.deb": "", "b.tar.gz": "", "empty/x": "" }), at = (file: string): string => path.join(folder, file);
  t.is((await readBundle(at("b-{arch}"), "arm64")).folder, at("b-arm64"));
  await t.throwsAsync(readBundle(at("b-x64"), "arm64"), { message: /for arm64 hosts: it holds packages\/a_1_amd64\.deb; name one for each architecture with \{arch\}/ });
  await t.throwsAsync(readBundle(at("b.tar.gz"), "x64"), { message: /it is a file.*unpack it first/ });
  await t.throwsAsync(readBundle(at("empty"), "x64"), { message: /neither packages\/\*\.deb nor images\/\*\.tar/ });
  await t.throwsAsync(readBundle(at("none"), "x64"), { message: /there is no such folder/ });
});
