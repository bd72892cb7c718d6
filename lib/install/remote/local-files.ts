/** What there is on the operator's machine to carry over: the program for each architecture, and the bundle for hosts without internet. */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { form } from "../../util/self.ts";
import type { Architecture } from "./host-facts.ts";

export interface LocalFile { readonly file: string; readonly bytes: number; readonly sha256: string }
export interface BundleFiles {
  readonly folder: string;
  /** Files to carry over, by their path below the folder. */
  readonly files: readonly string[];
  readonly bytes: number;
  /** Says whether a host has this very bundle. */
  readonly id: string;
  /** The package with the library our program needs, if it is there. */
  readonly library: string | undefined;
}

export async function sha256Of(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

const MACHINES: Record<number, Architecture> = { 0x3e: "x64", 0xb7: "arm64" };
/** The architecture an ELF program is for; undefined when it is none. Source: elf(5), e_machine. */
export async function architectureOf(file: string): Promise<Architecture | undefined> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0);
    return bytesRead === 20 && buffer.toString("latin1", 0, 4) === "\x7fELF" ? MACHINES[buffer.readUInt16LE(18)] : undefined;
  } finally { await handle.close(); }
}

/** Folders that may hold `kaji-linux-ARCHITECTURE`: beside the running program, or the clone's `dist`. */
function releaseFolders(): string[] {
  switch (form()) {
    case "executable": return [path.dirname(process.execPath)];
    case "bundle": return [path.dirname(fileURLToPath(import.meta.url))];
    case "source": return [fileURLToPath(new URL("../../../dist", import.meta.url))];
  }
}

/** The program for an architecture: one of `given` (`--binary`), one beside us, or ourselves. Throws with where it was looked for. */
export async function findProgram(architecture: Architecture, given: readonly string[]): Promise<LocalFile> {
  const described = async (file: string): Promise<LocalFile> => ({ file, bytes: statSync(file).size, sha256: await sha256Of(file) });
  for (const file of given) {
    if (!existsSync(file)) throw new Error(`Cannot use --binary ${file}: there is no such file`);
    const found = await architectureOf(file);
    if (found === undefined) throw new Error(`Cannot use --binary ${file}: it is no Linux program for x64 or arm64; "npm run build" makes dist/kaji-linux-x64 and dist/kaji-linux-arm64`);
    if (found === architecture) return described(file);
  }
  const candidates = releaseFolders().map((folder) => path.join(folder, `kaji-linux-${architecture}`));
  if (form() === "executable" && process.platform === "linux" && process.arch === architecture) candidates.push(process.execPath);
  const there = candidates.find((file) => existsSync(file));
  if (there === undefined) throw new Error(`Cannot find the program for ${architecture} hosts: looked for ${candidates.join(", ")}; make it with "npm run build" or name it with --binary`);
  return described(there);
}

/** What a bundle folder holds for hosts of `architecture`; `{arch}` in its name stands for that. Throws when it is no bundle. */
export async function readBundle(name: string, architecture: Architecture): Promise<BundleFiles> {
  const folder = name.replaceAll("{arch}", architecture);
  if (!existsSync(folder)) throw new Error(`Cannot use the bundle ${folder}: there is no such folder`);
  if (!statSync(folder).isDirectory()) throw new Error(`Cannot use the bundle ${folder}: it is a file, expected the folder in it; unpack it first ("tar -xzf ${path.basename(folder)}")`);
  const below = (part: string, ending: string): string[] => (existsSync(path.join(folder, part)) ? readdirSync(path.join(folder, part)).filter((file) => file.endsWith(ending)).toSorted().map((file) => `${part}/${file}`) : []);
  const files = [...below("packages", ".deb"), ...below("images", ".tar")], debian = architecture === "x64" ? "amd64" : "arm64";
  if (files.length === 0) throw new Error(`Cannot use the bundle ${folder}: it holds neither packages/*.deb nor images/*.tar`);
  const foreign = files.find((file) => /_(amd64|arm64)\.deb$/.exec(file)?.[1] === (debian === "amd64" ? "arm64" : "amd64"));
  if (foreign !== undefined) throw new Error(`Cannot use the bundle ${folder} for ${architecture} hosts: it holds ${foreign}; name one for each architecture with {arch} in its name, such as kaji-bundle-{arch}`);
  const hash = createHash("sha256");
  let bytes = 0;
  for (const file of files) {
    bytes += statSync(path.join(folder, file)).size;
    hash.update(`${file} ${await sha256Of(path.join(folder, file))}\n`);
  }
  return { folder, files, bytes, id: hash.digest("hex"), library: files.find((file) => file.startsWith("packages/libatomic1_")) };
}
