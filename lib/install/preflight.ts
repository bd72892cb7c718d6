/**
 * What must hold before a cluster is made on this machine. Every finding says what was found and what to do.
 * Checks only read.
 */
import { readdir, readFile, readlink, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { exec } from "../util/exec.ts";
import { type ClusterConfig, parseRange, rangesOverlap } from "./cluster-config.ts";
import { MACHINE_LINK } from "./hosts.ts";

export interface Finding { readonly severity: "error" | "warning"; readonly problem: string; readonly advice: string }
const DISK_MIN_BYTES = 2 * 1024 ** 3;
const MEMORY_MIN_BYTES = 1024 ** 3;

interface AddressInfo { ifname: string; addr_info: { family: string; local: string; prefixlen: number }[] }
interface RouteInfo { dst: string; dev?: string }

/** Ranges of the machine's own addresses and routes, with the name of what holds each. Ours are left out. */
async function machineRanges(): Promise<{ owner: string; cidr: string }[]> {
  const addresses = JSON.parse((await exec("ip", ["-j", "-4", "addr", "show"])).stdout || "[]") as AddressInfo[];
  const routes = JSON.parse((await exec("ip", ["-j", "-4", "route", "show"])).stdout || "[]") as RouteInfo[];
  return [
    ...addresses.filter((a) => a.ifname !== MACHINE_LINK).flatMap((a) => a.addr_info.filter((i) => i.family === "inet").map((i) => ({ owner: `interface ${a.ifname}`, cidr: `${i.local}/32` }))),
    ...routes.filter((r) => r.dst !== "default" && r.dev !== MACHINE_LINK).map((r) => ({ owner: `a route through ${r.dev ?? "nowhere"}`, cidr: r.dst.includes("/") ? r.dst : `${r.dst}/32` })),
  ];
}

async function checkRanges(config: ClusterConfig): Promise<Finding[]> {
  const findings: Finding[] = [], machine = await machineRanges();
  for (const [flag, cidr] of [["--host-cidr", config.hostCidr], ["--pod-cidr", config.podCidr], ["--service-cidr", config.serviceCidr]] as const) {
    const taken = machine.find((other) => rangesOverlap(parseRange(cidr, flag), parseRange(other.cidr, "route")));
    if (taken !== undefined) findings.push({ severity: "error", problem: `the range ${cidr} (${flag}) overlaps ${taken.cidr} of ${taken.owner}`, advice: `choose a free range with ${flag}=…` });
  }
  return findings;
}

/** Which process listens on a TCP port: by the socket's inode. Source: proc(5), net/tcp. */
export async function listenerOf(port: number): Promise<{ pid: number; command: string } | undefined> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const tables = await Promise.all(["tcp", "tcp6"].map((t) => readFile(`/proc/net/${t}`, "utf8").catch(() => "")));
  const inodes = tables.join("\n").split("\n").map((line) => line.trim().split(/\s+/)).filter((f) => f[3] === "0A" && f[1]?.endsWith(`:${hex}`)).map((f) => `socket:[${f[9]}]`);
  if (inodes.length === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      if (!inodes.includes(await readlink(`/proc/${pid}/fd/${fd}`).catch(() => ""))) continue;
      return { pid: Number(pid), command: (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).split("\0").filter(Boolean).join(" ").slice(0, 120) };
    }
  }
  return { pid: 0, command: "an unknown process" };
}

async function checkPort(config: ClusterConfig): Promise<Finding[]> {
  const free = await new Promise<boolean>((resolve) => {
    const server = createServer().once("error", () => resolve(false)).listen(config.apiPort, "0.0.0.0", () => server.close(() => resolve(true)));
  });
  if (free) return [];
  const holder = await listenerOf(config.apiPort);
  return [{ severity: "error", problem: `port ${config.apiPort} is taken by ${holder === undefined ? "another process" : `process ${holder.pid} (${holder.command})`}`, advice: "stop it, or choose another port with --api-port=…" }];
}

async function checkKernel(): Promise<Finding[]> {
  const findings: Finding[] = [];
  const filesystems = await readFile("/proc/filesystems", "utf8");
  if (!/\boverlay\b/.test(filesystems)) {
    const loaded = await exec("modprobe", ["overlay"]).then(() => true, () => false);
    if (!loaded) findings.push({ severity: "error", problem: "the kernel has no overlay file system", advice: "load or install the module \"overlay\"" });
  }
  if (!(await stat("/proc/sys/net/bridge").then(() => true, () => false))) {
    const loaded = await exec("modprobe", ["br_netfilter"]).then(() => true, () => false);
    if (!loaded) findings.push({ severity: "error", problem: "the kernel does not filter bridged packets (br_netfilter)", advice: "load or install the module \"br_netfilter\"" });
  }
  return findings;
}

async function checkSpace(): Promise<Finding[]> {
  const findings: Finding[] = [];
  const disk = await statfs("/var/lib");
  if (disk.bavail * disk.bsize < DISK_MIN_BYTES) findings.push({ severity: "error", problem: `/var/lib has ${Math.floor(disk.bavail * disk.bsize / 1024 ** 2)} MiB free, a cluster needs ${DISK_MIN_BYTES / 1024 ** 2} MiB`, advice: "free some space" });
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1] ?? 0) * 1024;
  if (available < MEMORY_MIN_BYTES) findings.push({ severity: "warning", problem: `only ${Math.floor(available / 1024 ** 2)} MiB of memory are available`, advice: "expect slow starts; use fewer --workers" });
  return findings;
}

/** Checks a machine that runs no cluster yet. */
export async function preflight(config: ClusterConfig): Promise<Finding[]> {
  return (await Promise.all([checkRanges(config), checkPort(config), checkKernel(), checkSpace()])).flat();
}
