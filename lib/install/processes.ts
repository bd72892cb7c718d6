/**
 * Processes by id and start time, so that a process number used again is never mistaken for ours.
 * Source: proc(5), fields 3, 20 and 22 of /proc/PID/stat.
 */
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { hostCgroup } from "./daemons.ts";
import { namespaceFile } from "./paths.ts";

export interface ProcessIdentity { readonly pid: number; /** Clock ticks after boot. */ readonly startTicks: string }

/**
 * The start time in a line of /proc/PID/stat; undefined for a process that has ended. A zombie has not while it has other threads: these may
 * still hold files, locks and ports of the process.
 */
export function startTicksIn(line: string): string | undefined {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" "), state = fields[0], threads = Number(fields[17]);
  return state === "Z" && threads <= 1 ? undefined : fields[19];
}

/** When the process started, in ticks since boot; undefined when it has ended. */
export async function startTicks(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return line === undefined ? undefined : startTicksIn(line);
}

export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  return (await startTicks(process.pid)) === process.startTicks;
}

/** Sends a signal only while the process is the one that was meant. */
export async function signalProcess(target: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(target))) return false;
  try { process.kill(target.pid, signal); return true; }
  catch { return false; }
}

/** Ids of every process that lives in a host: by its mount or network namespace, or by its cgroup (containers have namespaces of their own). */
export async function processesOfHost(host: string): Promise<number[]> {
  const pinned = await Promise.all((["mnt", "net"] as const).map((kind) => stat(namespaceFile(host, kind)).then((s) => `${kind}:[${s.ino}]`, () => "")));
  const cgroup = hostCgroup(host);
  const found: number[] = [];
  for (const entry of await readdir("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const namespaces = await Promise.all(["mnt", "net"].map((kind) => readlink(`/proc/${pid}/ns/${kind}`).catch(() => "-")));
    const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
    const inGroup = groups.split("\n").some((line) => { const name = line.split(":").slice(2).join(":"); return name === cgroup || name.startsWith(`${cgroup}/`); });
    if (inGroup || namespaces.some((ns) => pinned.includes(ns))) found.push(pid);
  }
  return found;
}
