import test from "ava";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { filesBelow, packBundle } from "../../../../lib/install/bundle/make-bundle.ts";
import { exec } from "../../../../lib/util/exec.ts";

const work = mkdtempSync(path.join(tmpdir(), "kaji-bundle-"));
test.after.always(() => { rmSync(work, { recursive: true, force: true }); });

function folder(parent: string, names: readonly string[], mode: number, seconds: number): string {
  const made = path.join(work, parent, "bundle");
  for (const name of names) {
    const file = path.join(made, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `content of ${name}`, { mode });
    utimesSync(file, seconds, seconds);
  }
  return made;
}

test("packBundle() makes the same bytes of the same files, whenever, wherever and in what order they were made", async (t) => {
  const one = folder("one", ["packages/b.deb", "packages/a.deb", "images/x.tar"], 0o644, 1_000), two = folder("two", ["images/x.tar", "packages/a.deb", "packages/b.deb"], 0o600, 2_000_000_000);
  await packBundle(one, path.join(work, "one.tar.gz"));
  await packBundle(two, path.join(work, "two.tar.gz"));
  t.deepEqual(readFileSync(path.join(work, "one.tar.gz")), readFileSync(path.join(work, "two.tar.gz")));
  t.is((await exec("tar", ["-tzf", path.join(work, "one.tar.gz")])).stdout, "bundle/images/x.tar\nbundle/packages/a.deb\nbundle/packages/b.deb\n");
  t.is((await exec("tar", ["-xzOf", path.join(work, "one.tar.gz"), "bundle/packages/a.deb"])).stdout, "content of packages/a.deb");
});
test("filesBelow() lists files alone, sorted", (t) => {
  t.deepEqual(filesBelow(folder("three", ["b/c", "a"], 0o644, 0)), ["a", "b/c"]);
});
