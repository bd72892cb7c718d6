/** Facts of the machine itself: kernel, control groups, memory, disks, clock, names. Reads only; what cannot be read is told as unknown. */
import { lookup } from "node:dns/promises";
import { access, constants, readFile, statfs } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { detectCgroups } from "../../../host/cgroups.ts";
import { parseMountInfo, type MountPoint } from "../../../host/mounts.ts";
import { readSysctl } from "../../../host/sysctl.ts";
import { exec } from "../../../util/exec.ts";
import type { ClockFacts, DiskFact, FeatureState, HostFacts, KernelFacts, NameFacts } from "./host-facts.ts";
import { KERNEL_FEATURES, SYSCTLS, type KernelFeature } from "./kernel.ts";

export const readText = (file: string): Promise<string> => readFile(file, "utf8").then((text) => text.trim(), () => "");
export const isThere = (file: string): Promise<boolean> => access(file).then(() => true, () => false);
/** What a program prints; "" when it is missing or fails. */
export const output = (program: string, ...args: string[]): Promise<string> => exec(program, args, { timeoutMs: 10_000 }).then(({ stdout }) => stdout.trim(), () => "");

export interface KernelSources { readonly builtIn: string; readonly loadable: string; /** Names of /sys/module. */ readonly loaded: ReadonlySet<string>; readonly config: string }
/** Pure. `modules.builtin` and `modules.dep` hold paths such as `kernel/net/bridge/br_netfilter.ko.xz`. */
export function featureState({ modules, options }: KernelFeature, { builtIn, loadable, loaded, config }: KernelSources): FeatureState {
  const listed = (list: string, name: string): boolean => new RegExp(`/${name.replaceAll(/[-_]/g, "[-_]")}\\.ko[^/\\s:]*(:|$)`, "m").test(list);
  if (modules.some((name) => loaded.has(name) || listed(builtIn, name)) || options.some((name) => config.includes(`\nCONFIG_${name}=y\n`))) return "active";
  if (modules.some((name) => listed(loadable, name))) return "loadable";
  // A kernel with every driver built in has no folder of modules; one whose folder is gone has neither list nor configuration.
  return loadable === "" && config === "" ? "unknown" : "missing";
}

async function kernelConfig(release: string): Promise<string> {
  const packed = await readFile("/proc/config.gz").catch(() => undefined);
  return `\n${packed === undefined ? await readText(`/boot/config-${release}`) : (await promisify(gunzip)(packed)).toString("utf8")}\n`;
}

async function gatherKernel(): Promise<KernelFacts> {
  const release = await readText("/proc/sys/kernel/osrelease"), folder = `/lib/modules/${release}`;
  const [builtIn, loadable, config] = await Promise.all([readText(`${folder}/modules.builtin`), readText(`${folder}/modules.dep`), kernelConfig(release)]);
  const names = Object.values(KERNEL_FEATURES).flatMap((feature) => feature.modules), there = await Promise.all(names.map((name) => isThere(`/sys/module/${name}`)));
  const loaded = new Set(names.filter((_, i) => there[i]));
  if (/\boverlay\b/.test(await readText("/proc/filesystems"))) loaded.add("overlay");
  if (await isThere("/proc/sys/net/bridge")) loaded.add("br_netfilter");
  const sources = { builtIn, loadable, loaded, config: config.trim() === "" ? "" : config };
  return {
    release, features: Object.fromEntries(Object.entries(KERNEL_FEATURES).map(([name, feature]) => [name, featureState(feature, sources)])),
    sysctls: Object.fromEntries(await Promise.all(Object.keys(SYSCTLS).map(async (name) => [name, await readSysctl(name)] as const))),
  };
}

async function gatherCgroups(mounts: readonly MountPoint[]): Promise<HostFacts["cgroups"]> {
  try {
    const layout = detectCgroups(mounts);
    if (layout.version === 1) return { version: 1, controllers: [...layout.mounts.keys()] };
    return { version: 2, controllers: (await readText(path.join(layout.mounts.get("unified")!, "cgroup.controllers"))).split(" ") };
  } catch { return { version: undefined, controllers: [] }; }
}

/** The mount a path lies on: the last one of the longest prefix. Pure. */
export function mountOf(mounts: readonly MountPoint[], wanted: string): MountPoint | undefined {
  const holding = mounts.filter((mount) => mount.path === "/" || wanted === mount.path || wanted.startsWith(`${mount.path}/`));
  return holding.reduce<MountPoint | undefined>((best, mount) => (best === undefined || mount.path.length >= best.path.length ? mount : best), undefined);
}

async function gatherDisk(mounts: readonly MountPoint[], folder: string): Promise<DiskFact> {
  const mount = mountOf(mounts, folder), space = await statfs(folder).catch(() => undefined), options = [...mount?.options ?? [], ...mount?.superOptions ?? []];
  return {
    path: folder, freeBytes: space === undefined ? 0 : space.bavail * space.bsize, inodesFree: space === undefined || space.files === 0 ? undefined : space.ffree,
    type: mount?.type ?? "", readOnly: options.includes("ro"), noExec: mount?.options.includes("noexec") ?? false,
  };
}

async function gatherClock(masterAheadMs: number | undefined): Promise<ClockFacts> {
  const text = await output("timedatectl", "show"), value = (key: string): string | undefined => new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1];
  const synchronised = value("NTPSynchronized");
  return { synchronised: synchronised === undefined ? undefined : synchronised === "yes", canSync: value("CanNTP") === "yes" && value("NTP") === "no", masterAheadMs };
}

/** Lines of hosts(5). Pure. */
export const parseHosts = (text: string): NameFacts["hostsEntries"] => text.split("\n").map((line) => line.replace(/#.*/, "").trim().split(/\s+/)).filter((words) => words.length > 1).map(([address, ...names]) => ({ address: address!, names }));

async function gatherNames(): Promise<NameFacts> {
  const own = hostname();
  return { hostname: own, resolvesTo: (await lookup(own, { all: true }).catch(() => [])).map((each) => each.address), hostsEntries: parseHosts(await readText("/etc/hosts")) };
}

const hasProgram = async (name: string): Promise<boolean> => (await Promise.all((process.env["PATH"] ?? "").split(":").map((folder) => access(path.join(folder, name), constants.X_OK).then(() => true, () => false)))).includes(true);
const DISKS = ["/var/lib", "/etc", "/run", "/var/log", "/usr/local/bin"];

export type MachineFacts = Pick<HostFacts, "uid" | "hasSudo" | "hasSystemd" | "architecture" | "kernel" | "cgroups" | "memoryMib" | "swap" | "failSwapOn" | "disks" | "clock" | "names" | "identity">;
export async function gatherMachine(masterAheadMs: number | undefined): Promise<MachineFacts> {
  const mounts = parseMountInfo(await readText("/proc/self/mountinfo")), [kernel, cgroups, disks, clock, names] = await Promise.all([gatherKernel(), gatherCgroups(mounts), Promise.all(DISKS.map((folder) => gatherDisk(mounts, folder))), gatherClock(masterAheadMs), gatherNames()]);
  const kubelet = (await Promise.all(["kubelet.env", "kubelet.yaml"].map((file) => readText(`/etc/kaji/${file}`)))).join("\n");
  return {
    uid: process.getuid?.() ?? 0, hasSudo: await hasProgram("sudo"), hasSystemd: await isThere("/run/systemd/system"), architecture: process.arch, kernel, cgroups, disks, clock, names,
    memoryMib: Math.floor(Number(/^MemTotal:\s+(\d+)/m.exec(await readText("/proc/meminfo"))?.[1] ?? 0) / 1024),
    swap: (await readText("/proc/swaps")).split("\n").slice(1).map((line) => line.split(/\s+/)[0]!).filter(Boolean), failSwapOn: /fail-swap-on[=:] *"?true|failSwapOn: *true/.test(kubelet),
    identity: { machineId: await readText("/etc/machine-id"), productUuid: await readText("/sys/class/dmi/id/product_uuid") },
  };
}
