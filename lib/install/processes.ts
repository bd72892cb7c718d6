/**
 * Processes by id and start time, so that a process number used again is never mistaken for ours.
 * Source: proc(5), field 22 of /proc/PID/stat.
 */
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { hostCgroup } from "./daemons.ts";
import { namespaceFile } from "./paths.ts";

export interface ProcessIdentity { readonly pid: number; /** Clock ticks after boot. */ readonly startTicks: string }

/** When the process started, in ticks since boot; undefined when it is gone or a zombie. */
export async function startTicks(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  return fields === undefined || fields[0] === "Z" ? undefined : fields[19];
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
