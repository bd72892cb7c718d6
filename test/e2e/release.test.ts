/** The release: the same commit makes the same bytes in two clones, the one file holds every daemon, the other architecture starts, and the bundle is whole. */
import test from "ava";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { findProgram } from "../../lib/install/packages.ts";
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

test("the program for arm64 starts", async (t) => {
  const emulator = await findProgram("qemu-aarch64-static");
  if (process.arch === "x64" && emulator === undefined) return t.fail("Cannot start the arm64 build: qemu-aarch64-static is missing; apt-get install qemu-user-static");
  await exec(node, ["cmd/kaji/build.ts", "arm64"], { cwd: root });
  const program = path.join(root, "dist/kaji-linux-arm64"), libraries = path.join(work, "arm64");
  // The three libraries of its own architecture that Node links.
  await exec("mmdebstrap", ["--variant=extract", "--quiet", "--architectures=arm64", "--include=libc6,libatomic1,libstdc++6", "--", "bookworm", libraries], { env: { ...process.env, TMPDIR: work } });
  const { stdout } = emulator === undefined ? await exec(program, ["version"]) : await exec(emulator, ["-L", libraries, program, "version"], { timeoutMs: 120_000 });
  t.deepEqual(stdout.split("\n").slice(1, 4), ["API version: v1.36.0", `Node version: ${process.version}`, "platform: linux/arm64"]);
});

test("npm run build -- x64 bundle makes a bundle whose sums hold, with the images, the units and what a bare host lacks", async (t) => {
  await exec(node, ["cmd/kaji/build.ts", "x64", "bundle"], { cwd: root });
  await t.notThrowsAsync(exec("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: path.join(root, "dist") }));
  await exec("tar", ["-xzf", path.join(root, "dist/kaji-bundle-x64.tar.gz"), "-C", work]);
  const bundle = path.join(work, "kaji-bundle-x64");
  await t.notThrowsAsync(exec("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: bundle }));
  const names = (folder: string): string[] => readdirSync(path.join(bundle, folder)).map((file) => file.split("_")[0]!);
  for (const name of ["containerd", "runc", "containernetworking-plugins", "iptables", "conntrack", "nftables", "libatomic1", "iproute2", "kmod"]) t.true(names("packages").includes(name), name);
  for (const name of ["libc6", "systemd", "dpkg"]) t.false(names("packages").includes(name), `${name} is on every host`);
  t.deepEqual(names("etcd"), ["etcd-client", "etcd-server"]);
  for (const name of ["python3", "python3-minimal", "libpython3-stdlib"]) t.true(names("python").includes(name), name);
  t.deepEqual(names("images"), ["nginx.tar", "pause.tar"]);
  t.deepEqual(names("systemd").toSorted(), readdirSync(path.join(root, "systemd")).toSorted());
});
