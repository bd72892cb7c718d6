/**
 * Facts about this machine: those that never change are read once, those that do from `/proc` each time.
 * Counterpart: cadvisor `machine` as far as a node's status needs it.
 */
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import systeminformation from "systeminformation";

export interface MachineFacts {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly swapBytes: number;
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  /** The distribution's name for people, such as `Debian GNU/Linux 12 (bookworm)`. */
  readonly osImage: string;
  /** Go's word: amd64, arm64. */
  readonly architecture: string;
}
export interface MemoryNow { readonly totalBytes: number; readonly availableBytes: number; readonly swapTotalBytes: number; readonly swapFreeBytes: number }

const read = async (file: string): Promise<string> => { try { return (await readFile(file, "utf8")).trim(); } catch { return ""; } };

/** Parses `/proc/meminfo`. */
export function parseMemInfo(text: string): MemoryNow {
  const bytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? 0) * 1024;
  return { totalBytes: bytes("MemTotal"), availableBytes: bytes("MemAvailable"), swapTotalBytes: bytes("SwapTotal"), swapFreeBytes: bytes("SwapFree") };
}

export const readMemory = async (): Promise<MemoryNow> => parseMemInfo(await readFile("/proc/meminfo", "utf8"));

const GO_ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64", arm: "arm", ia32: "386", ppc64: "ppc64le", s390x: "s390x", riscv64: "riscv64" };

/** The value of a key of os-release(5), without its quotes. */
export function osReleaseValue(text: string, key: string): string {
  return (new RegExp(`^${key}=(.*)$`, "m").exec(text)?.[1] ?? "").replace(/^(["'])(.*)\1$/, "$2");
}

export async function readMachineFacts(): Promise<MachineFacts> {
  const [memory, machineId, bootId, kernelVersion, release, uuid] = await Promise.all([
    readMemory(), read("/etc/machine-id"), read("/proc/sys/kernel/random/boot_id"), read("/proc/sys/kernel/osrelease"), read("/etc/os-release"), systeminformation.uuid(),
  ]);
  const osImage = osReleaseValue(release, "PRETTY_NAME") || (await systeminformation.osInfo()).distro;
  return {
    cpus: availableParallelism(), memoryBytes: memory.totalBytes, swapBytes: memory.swapTotalBytes, machineId, bootId, kernelVersion, osImage,
    systemUuid: uuid.hardware || machineId, architecture: GO_ARCHITECTURES[process.arch] ?? process.arch,
  };
}

/** Which mandatory access control the kernel enforces. */
export async function readSecurityModules(): Promise<{ appArmor: boolean; seLinux: boolean }> {
  const [appArmor, seLinux] = await Promise.all([read("/sys/module/apparmor/parameters/enabled"), read("/sys/fs/selinux/enforce")]);
  return { appArmor: appArmor === "Y", seLinux: seLinux !== "" };
}

/** Highest process id and how many processes and threads run: what PID pressure is judged by. */
export async function readProcesses(): Promise<{ max: number; running: number }> {
  const [max, load] = await Promise.all([read("/proc/sys/kernel/pid_max"), read("/proc/loadavg")]);
  return { max: Number(max), running: Number(load.split(" ")[3]?.split("/")[1] ?? 0) };
}
