/** The cgroup a host's pods live under. Version 1 and 2 alike: a directory in every hierarchy that is mounted. */
import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { HOST_CGROUP_ROOT, hostCgroup } from "./daemons.ts";

/** Mount points of every cgroup hierarchy. Source: proc(5), mountinfo. */
async function hierarchies(): Promise<string[]> {
  const lines = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").filter((line) => / - cgroup2? /.test(line));
  return [...new Set(lines.map((line) => line.split(" ")[4]!))];
}

/** On version 2, controllers reach a child only when every parent hands them down. */
async function delegate(directory: string): Promise<void> {
  const controllers = await readFile(path.join(directory, "cgroup.controllers"), "utf8").catch(() => undefined);
  if (controllers === undefined || controllers.trim() === "") return;
  await writeFile(path.join(directory, "cgroup.subtree_control"), controllers.trim().split(" ").map((c) => `+${c}`).join(" "));
}

/** Makes the host's cgroup in the hierarchies that need it beforehand. */
export async function ensureHostCgroup(host: string): Promise<void> {
  for (const mount of await hierarchies()) {
    if (!existsSync(path.join(mount, "cgroup.subtree_control"))) continue;
    await delegate(mount);
    mkdirSync(path.join(mount, HOST_CGROUP_ROOT), { recursive: true });
    await delegate(path.join(mount, HOST_CGROUP_ROOT));
    mkdirSync(path.join(mount, hostCgroup(host)), { recursive: true });
    await delegate(path.join(mount, hostCgroup(host)));
  }
}

async function removeTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    if (entry.isDirectory()) await removeTree(path.join(directory, entry.name));
  }
  await rmdir(directory).catch(() => undefined); // Gone already, or a process is still ending in it: tried again by the caller.
}

/** Removes every cgroup of ours that holds no process. Resolves with the directories that are still there. */
export async function removeCgroups(): Promise<string[]> {
  const left: string[] = [];
  for (const mount of await hierarchies()) {
    const root = path.join(mount, HOST_CGROUP_ROOT);
    if (!existsSync(root)) continue;
    await removeTree(root);
    if (existsSync(root)) left.push(root);
  }
  return left;
}
