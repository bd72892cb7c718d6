/**
 * Control groups, version 1 and 2, made and limited through the file system; with the systemd driver slices are made through systemctl.
 *
 * Guarantees: `ensure` is idempotent and makes the group under every controller that is mounted; `remove` takes a whole subtree and
 * leaves it only when processes still live in it. Units: cpu shares as version 1 counts them, bytes, nanoseconds.
 * Counterpart: kubelet `cm/cgroup_manager_linux.go` over runc's libcontainer.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { exec } from "../util/exec.ts";
import { cgroupPath, sliceOf, type CgroupDriver, type CgroupName } from "./cgroup-name.ts";
import { listMounts, type MountPoint } from "./mounts.ts";

export interface CgroupResources { cpuShares?: number; cpuQuotaUs?: number; cpuPeriodUs?: number; memoryMaxBytes?: number; pidsMax?: number }
export interface CgroupUsage { cpuNs: number; memoryUsageBytes: number; memoryWorkingSetBytes: number; memoryRssBytes: number; processes: number }
export interface CgroupLayout { readonly version: 1 | 2; /** Controller (or `name=systemd`) to the directory it is mounted at; version 2 is `unified`. */ readonly mounts: ReadonlyMap<string, string> }

const V1_CONTROLLERS = new Set(["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "hugetlb", "net_cls", "net_prio", "perf_event", "name=systemd"]);
const V2_CONTROLLERS = ["cpuset", "cpu", "io", "memory", "hugetlb", "pids"];

/** Which version rules here: 2 only where no controller is mounted the old way. Pure. */
export function detectCgroups(mounts: readonly MountPoint[]): CgroupLayout {
  const v1 = new Map<string, string>();
  for (const mount of mounts.filter((m) => m.type === "cgroup")) {
    for (const option of mount.superOptions) if (V1_CONTROLLERS.has(option)) v1.set(option, mount.path);
  }
  const unified = mounts.find((mount) => mount.type === "cgroup2");
  // Beside version 1 a version 2 tree may be mounted that controls nothing; runtimes make their groups there too.
  if ([...v1.keys()].some((controller) => !controller.startsWith("name="))) return { version: 1, mounts: unified === undefined ? v1 : v1.set("unified", unified.path) };
  if (unified === undefined) throw new Error("Cannot use control groups: neither version 1 nor version 2 is mounted");
  return { version: 2, mounts: new Map([["unified", unified.path]]) };
}

/** Version 1 shares (2 to 262144) as a version 2 weight (1 to 10000). Source: KEP-2254. */
export const sharesToWeight = (shares: number): number => Math.trunc(1 + ((Math.min(Math.max(shares, 2), 262_144) - 2) * 9_999) / 262_142);

export type Systemctl = (args: readonly string[]) => Promise<void>;
const systemctlCommand: Systemctl = async (args) => { await exec("systemctl", args); };

export class Cgroups {
  readonly layout: CgroupLayout;
  readonly driver: CgroupDriver;
  readonly #systemctl: Systemctl;

  constructor(layout: CgroupLayout, driver: CgroupDriver, systemctl: Systemctl = systemctlCommand) {
    this.layout = layout;
    this.driver = driver;
    this.#systemctl = systemctl;
  }

  static async detect(driver: CgroupDriver): Promise<Cgroups> { return new Cgroups(detectCgroups(await listMounts()), driver); }

  #directories(name: CgroupName): string[] {
    const relative = cgroupPath(name, this.driver);
    return [...new Set(this.layout.mounts.values())].map((mount) => path.join(mount, relative));
  }

  #directory(controller: string, name: CgroupName): string | undefined {
    const mount = this.layout.mounts.get(this.layout.version === 2 ? "unified" : controller);
    return mount === undefined ? undefined : path.join(mount, cgroupPath(name, this.driver));
  }

  /** Makes the group and its ancestors, then sets `resources` on it. */
  async ensure(name: CgroupName, resources: CgroupResources = {}): Promise<void> {
    if (this.driver === "systemd") await this.#systemctl(["start", "--", sliceOf(name)]);
    else for (let depth = 1; depth <= name.length; depth++) await this.#make(name.slice(0, depth));
    await this.setResources(name, resources);
  }

  async #make(name: CgroupName): Promise<void> {
    if (this.layout.version === 2) {
      const parent = path.dirname(this.#directories(name)[0]!);
      const offered = new Set((await readText(path.join(parent, "cgroup.controllers"))).trim().split(" "));
      for (const controller of V2_CONTROLLERS.filter((c) => offered.has(c))) await writeFile(path.join(parent, "cgroup.subtree_control"), `+${controller}`);
    }
    await Promise.all(this.#directories(name).map((directory) => mkdir(directory, { recursive: true })));
    const cpuset = this.layout.version === 1 ? this.#directory("cpuset", name) : undefined;
    if (cpuset === undefined) return;
    for (const file of ["cpuset.cpus", "cpuset.mems"]) { // A version 1 cpuset starts empty and takes no process before it is filled.
      if ((await readText(path.join(cpuset, file))).trim() === "") await writeFile(path.join(cpuset, file), await readText(path.join(path.dirname(cpuset), file)));
    }
  }

  async setResources(name: CgroupName, resources: CgroupResources): Promise<void> {
    if (this.driver === "systemd") return this.#setSlice(name, resources);
    await Promise.all(resourceFiles(this.layout.version, resources).map(async ([controller, file, value]) => {
      const directory = this.#directory(controller, name);
      if (directory !== undefined) await writeFile(path.join(directory, file), value);
    }));
  }

  async #setSlice(name: CgroupName, resources: CgroupResources): Promise<void> {
    const properties: string[] = [];
    if (resources.cpuShares !== undefined) properties.push(this.layout.version === 2 ? `CPUWeight=${sharesToWeight(resources.cpuShares)}` : `CPUShares=${resources.cpuShares}`);
    if (resources.cpuQuotaUs !== undefined) properties.push(resources.cpuQuotaUs < 0 ? "CPUQuota=" : `CPUQuota=${(resources.cpuQuotaUs / (resources.cpuPeriodUs ?? 100_000)) * 100}%`);
    if (resources.memoryMaxBytes !== undefined) properties.push(`${this.layout.version === 2 ? "MemoryMax" : "MemoryLimit"}=${resources.memoryMaxBytes}`);
    if (resources.pidsMax !== undefined) properties.push(`TasksMax=${resources.pidsMax}`);
    if (properties.length > 0) await this.#systemctl(["set-property", "--runtime", "--", sliceOf(name), ...properties]);
  }

  /** Removes the group with all below it. Returns false while a process still lives in one. */
  async remove(name: CgroupName): Promise<boolean> {
    if (this.driver === "systemd") await this.#systemctl(["stop", "--", sliceOf(name)]).catch(() => undefined);
    const results = await Promise.all(this.#directories(name).map(removeTree));
    return results.every(Boolean);
  }

  /** Names of the groups right below `name`, as this driver writes them. */
  async children(name: CgroupName): Promise<string[]> {
    const found = await Promise.all(this.#directories(name).map((directory) => readdir(directory, { withFileTypes: true }).catch(() => [])));
    return [...new Set(found.flat().filter((entry) => entry.isDirectory()).map((entry) => entry.name))];
  }

  /** What the group and all below it use, or undefined when it is gone. */
  async usage(name: CgroupName): Promise<CgroupUsage | undefined> {
    try {
      return await (this.layout.version === 2 ? readUsageV2(this.#directory("unified", name)!) : readUsageV1((controller) => this.#directory(controller, name)));
    } catch { return undefined; }
  }
}

/** Which file of which controller gets what. Pure. */
export function resourceFiles(version: 1 | 2, resources: CgroupResources): [controller: string, file: string, value: string][] {
  const files: [string, string, string][] = [], period = resources.cpuPeriodUs ?? 100_000;
  if (resources.cpuShares !== undefined) files.push(version === 2 ? ["cpu", "cpu.weight", String(sharesToWeight(resources.cpuShares))] : ["cpu", "cpu.shares", String(resources.cpuShares)]);
  if (resources.cpuQuotaUs !== undefined) {
    if (version === 2) files.push(["cpu", "cpu.max", `${resources.cpuQuotaUs < 0 ? "max" : resources.cpuQuotaUs} ${period}`]);
    else files.push(["cpu", "cpu.cfs_period_us", String(period)], ["cpu", "cpu.cfs_quota_us", String(resources.cpuQuotaUs)]);
  }
  if (resources.memoryMaxBytes !== undefined) files.push(["memory", version === 2 ? "memory.max" : "memory.limit_in_bytes", String(resources.memoryMaxBytes)]);
  if (resources.pidsMax !== undefined) files.push(["pids", "pids.max", String(resources.pidsMax)]);
  return files;
}

const readText = (file: string): Promise<string> => readFile(file, "utf8");
const statValue = (text: string, key: string): number => Number(new RegExp(`^${key} (\\d+)$`, "m").exec(text)?.[1] ?? 0);

async function readUsageV1(directory: (controller: string) => string | undefined): Promise<CgroupUsage> {
  const [cpu, usage, stat, processes] = await Promise.all([
    readText(path.join(directory("cpuacct") ?? "", "cpuacct.usage")), readText(path.join(directory("memory") ?? "", "memory.usage_in_bytes")),
    readText(path.join(directory("memory") ?? "", "memory.stat")), readText(path.join(directory("pids") ?? "", "pids.current")).catch(() => "0"),
  ]);
  const memoryUsageBytes = Number(usage);
  return { cpuNs: Number(cpu), memoryUsageBytes, memoryWorkingSetBytes: Math.max(0, memoryUsageBytes - statValue(stat, "total_inactive_file")), memoryRssBytes: statValue(stat, "total_rss"), processes: Number(processes) };
}

async function readUsageV2(directory: string): Promise<CgroupUsage> {
  const [cpu, usage, stat, processes] = await Promise.all(["cpu.stat", "memory.current", "memory.stat", "pids.current"].map((file) => readText(path.join(directory, file))));
  const memoryUsageBytes = Number(usage);
  return {
    cpuNs: statValue(cpu!, "usage_usec") * 1_000, memoryUsageBytes, memoryWorkingSetBytes: Math.max(0, memoryUsageBytes - statValue(stat!, "inactive_file")),
    memoryRssBytes: statValue(stat!, "anon"), processes: Number(processes),
  };
}

async function removeTree(directory: string): Promise<boolean> {
  let entries;
  try { entries = await readdir(directory, { withFileTypes: true }); } catch { return true; }
  for (const entry of entries) if (entry.isDirectory()) await removeTree(path.join(directory, entry.name));
  try { await rmdir(directory); return true; } catch (error) { return (error as NodeJS.ErrnoException).code === "ENOENT"; }
}
