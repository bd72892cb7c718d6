/** The release: the same commit makes the same bytes in two clones, and the one file holds every daemon. */
import test from "ava";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { exec } from "../../lib/util/exec.ts";

const root = path.resolve(import.meta.dirname, "../..");
// Inside the clone, not in /tmp: packages are linked, which works within one file system only.
mkdirSync(path.join(root, "dist"), { recursive: true });
const work = mkdtempSync(path.join(root, "dist/release-"));
const node = path.join(root, "node_modules/.bin/node");
test.after.always(() => { rmSync(work, { recursive: true, force: true }); });

async function buildIn(name: string, from: string): Promise<string> {
  const clone = path.join(work, name);
  await exec("git", ["clone", "-q", from, clone]);
  await exec("sh", ["-c", 'mkdir node_modules && for each in "$0"/node_modules/* "$0"/node_modules/.bin; do cp -al "$each" node_modules/; done', root], { cwd: clone });
  await exec(node, ["lib/api/schema/generate.ts"], { cwd: clone });
  await exec(node, ["cmd/kaji/build.ts", process.arch], { cwd: clone });
  return clone;
}

test("npm run build makes the same bytes in two clones of one commit, says which commit, and every daemon starts from it", async (t) => {
  const first = await buildIn("one", root), second = await buildIn("another-folder", first), program = path.join(first, "dist/kaji");
  t.is(readFileSync(path.join(first, "dist/SHA256SUMS"), "utf8"), readFileSync(path.join(second, "dist/SHA256SUMS"), "utf8"));
  await t.notThrowsAsync(exec("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: path.join(first, "dist") }));
  const commit = (await exec("git", ["-C", first, "rev-parse", "HEAD"])).stdout.trim(), { stdout } = await exec(program, ["version"], { env: {} });
  t.deepEqual(stdout.split("\n").slice(0, 3), [`commit: ${commit}`, "API version: v1.36.0", `Node version: ${process.version}`]);
  for (const daemon of ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy"]) t.regex((await exec(program, [daemon, "--help"], { env: {} })).stdout, new RegExp(`^Usage:\n  ${daemon} `));
  t.false(existsSync(path.join(first, "dist/.build")));
});
