/**
 * Test machines: QEMU without hardware acceleration, on a bridge in a network namespace of their own, so that nothing of this machine's
 * network is touched. Machine N is `vmN` at 10.99.0.(10+N); this side of the bridge is 10.99.0.1.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isAlive, startTicks } from "../../lib/install/processes.ts";
import { until } from "../../lib/install/wait.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { exec, type ExecOptions } from "../../lib/util/exec.ts";
import { ensureImage, type VmImage } from "./image.ts";

export const NAMESPACE = "kaji-vm", STATE = "/var/lib/kaji-vm";
const NETNS = `/run/netns/${NAMESPACE}`, GATEWAY = "10.99.0.1", BOOT_TIMEOUT_MS = 300_000;
const MEMORY_MIB = 1536, PROCESSORS = 2;

export interface Machine { readonly number: number; readonly name: string; readonly address: string; readonly folder: string }
export const machine = (number: number): Machine => ({ number, name: `vm${number}`, address: `10.99.0.${10 + number}`, folder: path.join(STATE, `vm${number}`) });
/** Machines that have a disk. */
export const machines = (): Machine[] => (existsSync(STATE) ? readdirSync(STATE).flatMap((name) => (/^vm\d+$/.test(name) ? [machine(Number(name.slice(2)))] : [])).toSorted((a, b) => a.number - b.number) : []);

/** Runs a program beside the machines: in their network, on this machine's files. */
export const beside = (command: string, args: readonly string[], options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> => exec("nsenter", [`--net=${NETNS}`, "--", command, ...args], options);

async function ensureNetwork(): Promise<void> {
  if (existsSync(NETNS)) return;
  await exec("ip", ["netns", "add", NAMESPACE]);
  for (const args of [["link", "set", "lo", "up"], ["link", "add", "br0", "type", "bridge", "forward_delay", "0"], ["address", "add", `${GATEWAY}/24`, "dev", "br0"], ["link", "set", "br0", "up"]]) await beside("ip", args);
}

const pidFile = ({ folder }: Machine): string => path.join(folder, "process");
async function running(vm: Machine): Promise<{ pid: number; startTicks: string } | undefined> {
  if (!existsSync(pidFile(vm))) return undefined;
  const identity = JSON.parse(readFileSync(pidFile(vm), "utf8")) as { pid: number; startTicks: string };
  return (await isAlive(identity)) ? identity : undefined;
}

/** Starts a machine that is off, on the disk it has, or a fresh one. */
export async function powerOn(vm: Machine, image: VmImage): Promise<void> {
  if ((await running(vm)) !== undefined) return;
  await ensureNetwork();
  mkdirSync(vm.folder, { recursive: true });
  const disk = path.join(vm.folder, "disk.qcow2"), tap = `tap${vm.number}`;
  if (!existsSync(disk)) await exec("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.disk, disk]);
  await beside("ip", ["link", "show", tap]).catch(async () => {
    await beside("ip", ["tuntap", "add", tap, "mode", "tap"]);
    await beside("ip", ["link", "set", tap, "master", "br0", "up"]);
  });
  const log = openSync(path.join(vm.folder, "qemu.log"), "a");
  const child = spawn("nsenter", [
    `--net=${NETNS}`, "--", "qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", String(PROCESSORS), "-m", String(MEMORY_MIB), "-display", "none", "-monitor", "none",
    "-serial", `file:${path.join(vm.folder, "console.log")}`, "-drive", `file=${disk},if=virtio,cache=writeback`, "-device", "virtio-rng-pci",
    "-netdev", `tap,id=n0,ifname=${tap},script=no,downscript=no`, "-device", `virtio-net-pci,netdev=n0,mac=52:54:00:99:00:${String(10 + vm.number).padStart(2, "0")}`,
    "-kernel", image.kernel, "-initrd", image.initrd, "-append", `root=/dev/vda rw console=ttyS0 net.ifnames=0 systemd.hostname=${vm.name} ip=${vm.address}::${GATEWAY}:255.255.255.0:${vm.name}:eth0:off`,
  ], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  writeFileSync(pidFile(vm), JSON.stringify({ pid: child.pid!, startTicks: (await startTicks(child.pid!)) ?? "" }));
}

/** As pulling the plug. */
export async function powerOff(vm: Machine): Promise<void> {
  const identity = await running(vm);
  if (identity === undefined) return;
  process.kill(identity.pid, "SIGKILL");
  await until(`${vm.name} being off`, async () => ((await isAlive(identity)) ? undefined : true), systemClock, 10_000);
}

export const sshArguments = (vm: Machine, image: VmImage): string[] => ["-i", image.sshKey, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "StrictHostKeyChecking=accept-new", "-o", `UserKnownHostsFile=${path.join(vm.folder, "known_hosts")}`, "-o", "LogLevel=ERROR", `root@${vm.address}`];
/** Runs a command on the machine. Words are joined by the shell there. */
export const ssh = (vm: Machine, image: VmImage, command: string, options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> => beside("ssh", [...sshArguments(vm, image), "--", command], options);
export const copyTo = (vm: Machine, image: VmImage, source: string, target: string): Promise<unknown> => {
  const args = sshArguments(vm, image);
  return beside("scp", ["-q", "-r", ...args.slice(0, -1), source, `${args.at(-1)!}:${target}`]);
};

/** Waits until systemd says that the machine is up. Returns how long it took, in milliseconds. */
export async function waitForBoot(vm: Machine, image: VmImage): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await until(`${vm.name} answering over SSH (its console: ${path.join(vm.folder, "console.log")})`, async () => {
    if ((await running(vm)) === undefined) throw new Error(`QEMU has ended: ${readFileSync(path.join(vm.folder, "qemu.log"), "utf8").slice(-500)}`);
    return ssh(vm, image, "systemctl is-system-running --wait || true", { timeoutMs: BOOT_TIMEOUT_MS }).then(() => true as const);
  }, systemClock, BOOT_TIMEOUT_MS);
  return systemClock.monotonicMs() - startMs;
}

const LOOP = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
/** How many times slower the machine is than this one, by a fixed loop: what limits are multiplied with. */
export async function calibrate(vm: Machine, image: VmImage): Promise<number> {
  const time = async (work: () => Promise<unknown>): Promise<number> => { const startMs = systemClock.monotonicMs(); await work(); return systemClock.monotonicMs() - startMs; };
  const bare = await time(() => ssh(vm, image, "true")), there = await time(() => ssh(vm, image, LOOP)), here = await time(() => exec("sh", ["-c", LOOP]));
  return Math.max(1, (there - bare) / here);
}

/** Starts machines 1 to `count` and waits for all. */
export async function bringUp(count: number): Promise<{ image: VmImage; machines: Machine[] }> {
  const image = await ensureImage(), all = Array.from({ length: count }, (_, i) => machine(i + 1));
  for (const vm of all) await powerOn(vm, image);
  await Promise.all(all.map((vm) => waitForBoot(vm, image)));
  return { image, machines: all };
}

/** Ends every machine and takes disks and network away. */
export async function takeDown(): Promise<void> {
  for (const vm of machines()) await powerOff(vm);
  rmSync(STATE, { recursive: true, force: true });
  if (existsSync(NETNS)) await exec("ip", ["netns", "delete", NAMESPACE]);
}

/** Every machine's journal, one file each, into `folder`. */
export async function collectJournals(image: VmImage, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await Promise.all(machines().map(async (vm) => {
    const text = await ssh(vm, image, "journalctl -b -o short-monotonic --no-pager", { timeoutMs: 60_000 }).then((r) => r.stdout, (error: unknown) => `no journal: ${String(error)}\n${readFileSync(path.join(vm.folder, "console.log"), "utf8")}`);
    writeFileSync(path.join(folder, `${vm.name}.log`), text);
  }));
}
