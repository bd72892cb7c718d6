/**
 * What stays on a host after its pods and daemons ended, or could not be ended the proper way: shims, mounts, network namespaces, sockets, addresses
 * in connection tracking. Each function takes away only what is provably ours, and does nothing where there is nothing.
 */
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from "node:fs";
import path from "node:path";
import { exec } from "../../util/exec.ts";
import { listMounts, mountsBelow } from "../../host/mounts.ts";

const entries = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
const readText = (file: string): string => { try { return readFileSync(file, "utf8"); } catch { return ""; } };

/** Whether a command line is that of a shim of our containerd. Pure. */
export const isOurShim = (commandLine: string): boolean => /(^|\/)containerd-shim[^\0]*\0/.test(commandLine) && commandLine.includes("\0/run/kaji/containerd/");

/** Ends shims that outlived our containerd, and with them their containers. Returns how many there were. */
export function killShims(): number {
  let killed = 0;
  for (const pid of entries("/proc").filter((name) => /^\d+$/.test(name))) {
    if (!isOurShim(readText(`/proc/${pid}/cmdline`))) continue;
    try { process.kill(Number(pid), "SIGKILL"); killed += 1; } catch { /* Ended by itself. */ }
  }
  return killed;
}

/** Unmounts what is mounted at or below the folders, innermost first; what is busy goes when its last user does. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  const mounts = await listMounts();
  for (const target of folders.flatMap((folder) => mountsBelow(mounts, folder))) await exec("umount", ["-l", "--", target]).catch(() => undefined); // Gone with the one above it.
}

const RESULTS = "/var/lib/cni/results", NAMESPACES = "/run/netns";
/** The network namespaces named in what CNI noted of our network. Pure. */
export const namespacesIn = (noted: string): string[] => [...new Set([...noted.matchAll(/\bcni-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g)].map((match) => match[0]))];

/** Network namespaces of pods that were never stopped, and CNI's notes of them. */
export async function removePodNetworks(network: string): Promise<void> {
  for (const file of entries(RESULTS).filter((name) => name.startsWith(`${network}-`))) {
    for (const name of namespacesIn(readText(path.join(RESULTS, file)))) if (existsSync(path.join(NAMESPACES, name))) await exec("ip", ["netns", "delete", name]).catch(() => undefined);
    rmSync(path.join(RESULTS, file), { force: true });
  }
}

/** Forgets tracked connections to and from ranges that mean nothing any more. */
export async function forgetConnections(ranges: readonly string[]): Promise<void> {
  for (const range of ranges) for (const side of ["--orig-dst", "--orig-src"]) await exec("conntrack", ["--delete", side, range]).catch(() => undefined); // 1 when there was none.
}

/** Sets of addresses that rules of ours used. */
export async function removeSets(): Promise<void> {
  const names = (await exec("ipset", ["list", "-name"]).catch(() => ({ stdout: "" }))).stdout.split("\n").filter((name) => /^(KUBE|KAJI)-/.test(name));
  for (const name of names) await exec("ipset", ["destroy", name]).catch(() => undefined);
}

/** Sockets of shims that nobody listens on: containerd keeps those of every instance in one folder. */
export function removeShimSockets(folder = "/run/containerd/s", table = readText("/proc/net/unix")): void {
  const live = new Set(table.split("\n").map((line) => line.trim().split(/\s+/)[7]).filter((name) => name !== undefined));
  for (const name of entries(folder)) { const file = path.join(folder, name); if (statSync(file).isSocket() && !live.has(file)) rmSync(file, { force: true }); }
}

/** Removes the folder and those below it that hold nothing. Returns whether the folder is gone. */
export function removeEmpty(folder: string): boolean {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return !existsSync(folder);
  const inside = entries(folder).map((name) => path.join(folder, name)), kept = inside.filter((each) => !statSync(each, { throwIfNoEntry: false })?.isDirectory() || !removeEmpty(each));
  if (kept.length > 0) return false;
  try { rmdirSync(folder); return true; } catch { return false; } // A mount, or somebody was faster.
}
