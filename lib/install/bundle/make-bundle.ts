/**
 * The air-gap bundle: a folder with all a bare Debian 12 needs besides the program, and that folder as one file.
 *
 * | | |
 * |---|---|
 * | `packages/*.deb` | for every host: container runtime, CNI plugins, iptables and what else such a host lacks |
 * | `etcd/*.deb` | for masters, where there are several |
 * | `python/*.deb` | for hosts that Ansible sets up: its modules need it |
 * | `images/*.tar` | pause, and nginx for the first Deployment |
 * | `systemd/*.service` | the units; the program carries them too |
 * | `SHA256SUMS` | of all these |
 *
 * Promises: the same packages make the same bytes, on whatever machine and in whatever folder.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { pack } from "tar-stream";
import { ensureImages } from "../images.ts";
import { type Architecture, downloadArchives } from "./debian-archives.ts";

/** By folder of the bundle. */
export const BUNDLE_PACKAGES = {
  packages: ["containerd", "runc", "containernetworking-plugins", "iptables", "nftables", "conntrack", "iproute2", "procps", "curl", "libatomic1", "kmod"],
  etcd: ["etcd-server", "etcd-client"],
} as const;
/** Apart from the others, which it cannot take for granted: it is installed before them. */
export const PYTHON_PACKAGES = { python: ["python3"] } as const;

export interface BundleOptions {
  readonly architecture: Architecture;
  /** Where the units are. */
  readonly units: string;
  /** Keeps lists, packages and images between runs. */
  readonly cache: string;
}

/** Every file below a folder, as sorted paths relative to it. */
export const filesBelow = (folder: string): string[] => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile()).map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name))).toSorted();

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** Makes the folder anew. About 15 s and 40 MB of downloads when nothing is cached. */
export async function makeBundle(folder: string, { architecture, units, cache }: BundleOptions): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, "images"), { recursive: true });
  mkdirSync(path.join(folder, "systemd"));
  await downloadArchives(BUNDLE_PACKAGES, architecture, folder, path.join(cache, architecture));
  await downloadArchives(PYTHON_PACKAGES, architecture, folder, path.join(cache, architecture));
  for (const image of await ensureImages({ architecture, directory: path.join(cache, architecture, "images") })) copyFileSync(image.file, path.join(folder, "images", path.basename(image.file)));
  for (const unit of readdirSync(units)) copyFileSync(path.join(units, unit), path.join(folder, "systemd", unit));
  const sums: string[] = [];
  for (const file of filesBelow(folder)) sums.push(`${await sha256(path.join(folder, file))}  ${file}\n`);
  writeFileSync(path.join(folder, "SHA256SUMS"), sums.join(""));
}

/** The folder as one file: sorted, without times, owners or a name of the machine. */
export async function packBundle(folder: string, target: string): Promise<void> {
  const archive = pack(), written = pipeline(archive, createGzip({ level: 6 }), createWriteStream(target));
  const fill = async (): Promise<void> => {
    for (const file of filesBelow(folder)) {
      const source = path.join(folder, file);
      await pipeline(createReadStream(source), archive.entry({ name: `${path.basename(folder)}/${file}`, size: statSync(source).size, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }));
    }
    archive.finalize();
  };
  await Promise.all([written, fill()]);
}
