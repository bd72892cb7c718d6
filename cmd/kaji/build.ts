/**
 * The release: `dist/kaji-linux-x64` and `dist/kaji-linux-arm64`, one file each with everything inside, `dist/kaji` for this machine,
 * `dist/kaji-bundle-ARCHITECTURE.tar.gz` (and the folder it was made of) for hosts without internet, and `dist/SHA256SUMS` of these files.
 * Arguments take a part: `x64` or `arm64` the program alone, `bundle` the bundles alone, `x64 bundle` both of x64.
 *
 * Promises: the same commit makes the same bytes, in whatever folder the clone lies. Every path that reaches the bundler is relative,
 * no time and no name of a machine goes in, and the Node inside is the one package-lock.json names, by its hash. A bundle is the same as long as Debian's packages are.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type BuildOptions } from "esbuild";
import type { Architecture } from "../../lib/install/bundle/debian-archives.ts";
import { makeBundle, packBundle, sha256 } from "../../lib/install/bundle/make-bundle.ts";
import { IMAGE_REQUIREMENTS, installPackages, missingPackages } from "../../lib/install/packages.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");
const WORK = "dist/.build";
const ARCHITECTURES: readonly Architecture[] = ["x64", "arm64"];

/** Modules that run in a thread of their own, by the name `startWorker` asks for. */
const WORKERS: Record<string, string> = { "sqlite-worker": "lib/storage/sqlite-worker.ts", "long-work-thread": "lib/apiserver/long-work/long-work-thread.ts" };

const git = (...args: string[]): string => execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** The commit, marked when the work tree differs from it. A tree without git (an archive) is "unknown". */
function commit(): string {
  try { return git("rev-parse", "HEAD") + (git("status", "--porcelain") === "" ? "" : "-dirty"); }
  catch { return "unknown"; }
}

/** One CommonJS file: inside an executable, neither modules nor packages can be looked up. */
function bundle(input: Pick<BuildOptions, "entryPoints" | "stdin">, outfile: string, define: Record<string, string>): Promise<unknown> {
  return build({
    ...input, outfile, absWorkingDir: ROOT, bundle: true, platform: "node", format: "cjs", target: "node26", minifySyntax: true, minifyWhitespace: true, legalComments: "none", logLevel: "warning",
    // A module asks for its own address only to find a worker's source, which is an asset here.
    banner: { js: 'const kajiModuleUrl=require("node:url").pathToFileURL(process.execPath).href;' },
    define: { "import.meta.url": "kajiModuleUrl", "import.meta.main": "false", ...define },
    // Compiled add-ons that ssh2 tries and does without: left outside, they are not found.
    external: ["cpu-features", "./crypto/build/Release/sshcrypto.node"],
  });
}

/** The Node to put inside: this machine's from its package, the other fetched once and held to the hash in package-lock.json. */
function nodeBinary(architecture: Architecture): string {
  const name = `node-linux-${architecture}`, installed = path.join("node_modules", name, "bin/node");
  if (existsSync(path.join(ROOT, installed))) return installed;
  const lock = JSON.parse(readFileSync(path.join(ROOT, "package-lock.json"), "utf8")) as { packages: Record<string, { version: string; integrity: string }> };
  const { version, integrity } = lock.packages[`node_modules/${name}`]!;
  const cache = path.join("node_modules/.cache/kaji", `${name}-${version}`), binary = path.join(cache, "package/bin/node");
  if (existsSync(path.join(ROOT, binary))) return binary;
  mkdirSync(path.join(ROOT, cache), { recursive: true });
  execFileSync("npm", ["pack", `${name}@${version}`, "--pack-destination", path.join(ROOT, cache), "--silent"], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  const archive = path.join(ROOT, cache, `${name}-${version}.tgz`), found = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (found !== integrity) throw new Error(`Cannot use ${name}@${version}: its hash is ${found}, package-lock.json says ${integrity}`);
  execFileSync("tar", ["-xzf", archive, "-C", path.join(ROOT, cache), "package/bin/node"]);
  rmSync(archive);
  return binary;
}

/** Puts the bundle and the assets into a copy of Node. */
function executable(architecture: Architecture, assets: Record<string, string>): string {
  const output = `${WORK}/kaji-linux-${architecture}`, config = `${WORK}/${architecture}.json`;
  writeFileSync(path.join(ROOT, config), JSON.stringify({ main: `${WORK}/main.cjs`, output, executable: nodeBinary(architecture), mainFormat: "commonjs", disableExperimentalSEAWarning: true, useSnapshot: false, useCodeCache: false, assets }));
  execFileSync(process.execPath, ["--build-sea", config], { cwd: ROOT, stdio: ["ignore", "ignore", "inherit"] });
  chmodSync(path.join(ROOT, output), 0o755);
  const final = path.join(ROOT, "dist", path.basename(output));
  renameSync(path.join(ROOT, output), final);
  return final;
}

/** Programs of these architectures, and `dist/kaji` when this machine's is among them. */
async function programs(architectures: readonly Architecture[]): Promise<string[]> {
  mkdirSync(path.join(ROOT, WORK), { recursive: true });
  const define = { KAJI_BUILD_COMMIT: JSON.stringify(commit()) }, assets: Record<string, string> = {};
  await bundle({ stdin: { contents: 'import { run } from "./cmd/kaji/main.ts"; run(process.argv.slice(2));', resolveDir: ROOT, sourcefile: "entry.ts", loader: "ts" } }, `${WORK}/main.cjs`, define);
  for (const [name, source] of Object.entries(WORKERS)) {
    assets[name] = `${WORK}/${name}.cjs`;
    await bundle({ entryPoints: [source] }, assets[name], define);
  }
  for (const file of readdirSync(path.join(ROOT, "systemd")).toSorted()) assets[`systemd/${file}`] = `systemd/${file}`;
  const files = architectures.map((each) => executable(each, assets)), own = files.find((file) => file.endsWith(`-${process.arch}`));
  rmSync(path.join(ROOT, WORK), { recursive: true });
  if (own === undefined) return files;
  const target = path.join(ROOT, "dist/kaji"), fresh = `${target}.new`;
  copyFileSync(own, fresh); // Then renamed: a running daemon keeps the file it was started from.
  renameSync(fresh, target);
  return [...files, target];
}

/** Bundles of these architectures. Needs apt and mmdebstrap. */
async function bundles(architectures: readonly Architecture[]): Promise<string[]> {
  await installPackages(await missingPackages(IMAGE_REQUIREMENTS));
  const files: string[] = [];
  for (const architecture of architectures) {
    const folder = path.join(ROOT, `dist/kaji-bundle-${architecture}`), file = `${folder}.tar.gz`;
    await makeBundle(folder, { architecture, units: path.join(ROOT, "systemd"), cache: path.join(ROOT, "node_modules/.cache/kaji/bundle") });
    await packBundle(folder, `${file}.new`);
    renameSync(`${file}.new`, file);
    files.push(file);
  }
  return files;
}

async function main(wanted: readonly string[]): Promise<void> {
  const odd = wanted.find((each) => each !== "bundle" && !(ARCHITECTURES as readonly string[]).includes(each));
  if (odd !== undefined) throw new Error(`Cannot build ${JSON.stringify(odd)}: expected ${ARCHITECTURES.join(", ")} or bundle`);
  const named = ARCHITECTURES.filter((each) => wanted.includes(each)), architectures = named.length === 0 ? ARCHITECTURES : named;
  const files = [...(wanted.includes("bundle") && named.length === 0 ? [] : await programs(architectures)), ...(wanted.includes("bundle") || wanted.length === 0 ? await bundles(architectures) : [])];
  const sums: string[] = [];
  for (const file of files) sums.push(`${await sha256(file)}  ${path.basename(file)}\n`);
  writeFileSync(path.join(ROOT, "dist/SHA256SUMS"), sums.join(""));
  process.stdout.write(sums.join(""));
}

await main(process.argv.slice(2));
