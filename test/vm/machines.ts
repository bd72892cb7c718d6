/**
 * Test machines: QEMU without hardware acceleration. They are started, reset, paused and cut off here; nothing in them knows of tests.
 *
 * A machine that is powered off hard loses what it had not flushed, as a real one does: unwritten pages live in the guest's own memory,
 * which ends with QEMU's process; a flush of the guest is answered only after QEMU has synced the disk's file (`cache=writeback`
 * passes flushes on, `unsafe` would not). What the guest wrote without a flush may survive in this machine's page cache: a real
 * disk may keep it too.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { isAlive, signalProcess, startTicks, type ProcessIdentity } from "../../lib/install/processes.ts";
import { until } from "../../lib/install/wait.ts";
import { systemClock } from "../../lib/util/clock.ts";
import { exec, type ExecOptions } from "../../lib/util/exec.ts";
import { ensureImage, type VmImage } from "./image.ts";
import { addressOf, beside, ensureNetwork, ensureTap, GATEWAY, NETNS, removeNetwork, setLink, tapOf } from "./network.ts";

export { beside, NAMESPACE } from "./network.ts";
export const STATE = "/var/lib/kaji-vm";
const BOOT_TIMEOUT_MS = 300_000, OFF_TIMEOUT_MS = 10_000, PAUSE_BETWEEN_TRIES_MS = 1_000;
// One processor boots faster than two where more machines than processors are emulated: kernels spin for each other. No need for mitigations in what runs only us.
const PROCESSORS = 1, MEMORY_MIB = 1536;

export interface Machine { readonly number: number; readonly name: string; readonly address: string; readonly folder: string }
export const machine = (number: number): Machine => ({ number, name: `vm${number}`, address: addressOf(number), folder: path.join(STATE, `vm${number}`) });
/** Machines that have a disk. */
export const machines = (): Machine[] => (existsSync(STATE) ? readdirSync(STATE).flatMap((name) => (/^vm\d+$/.test(name) ? [machine(Number(name.slice(2)))] : [])).toSorted((a, b) => a.number - b.number) : []);

export interface MachineOptions { readonly memoryMib?: number | undefined }
interface Started extends ProcessIdentity { readonly memoryMib: number }

const processFile = ({ folder }: Machine): string => path.join(folder, "process");
/** How the machine was started last; undefined when it never was. */
const lastStart = (vm: Machine): Started | undefined => (existsSync(processFile(vm)) ? JSON.parse(readFileSync(processFile(vm), "utf8")) as Started : undefined);
async function running(vm: Machine): Promise<Started | undefined> {
  const started = lastStart(vm);
  return started !== undefined && (await isAlive(started)) ? started : undefined;
}

function qemuArguments(vm: Machine, image: VmImage, disk: string, memoryMib: number): string[] {
  return [
    "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", String(PROCESSORS), "-m", String(memoryMib), "-display", "none", "-monitor", "none",
    "-serial", `file:${path.join(vm.folder, "console.log")}`, "-drive", `file=${disk},if=virtio,cache=writeback`, "-device", "virtio-rng-pci",
    "-netdev", `tap,id=n0,ifname=${tapOf(vm.number)},script=no,downscript=no`, "-device", `virtio-net-pci,netdev=n0,mac=52:54:00:99:00:${String(10 + vm.number).padStart(2, "0")}`,
    "-kernel", image.kernel, "-initrd", image.initrd, "-append", `root=/dev/vda rw console=ttyS0 mitigations=off net.ifnames=0 systemd.hostname=${vm.name} ip=${vm.address}::${GATEWAY}:255.255.255.0:${vm.name}:eth0:off`,
  ];
}

/** Starts a machine that is off, on the disk it has, or a fresh one. Without `memoryMib` it has as much as it had before. */
export async function powerOn(vm: Machine, image: VmImage, options: MachineOptions = {}): Promise<void> {
  if ((await running(vm)) !== undefined) return;
  await ensureNetwork();
  await ensureTap(vm.number);
  mkdirSync(vm.folder, { recursive: true });
  const disk = path.join(vm.folder, "disk.qcow2"), memoryMib = options.memoryMib ?? lastStart(vm)?.memoryMib ?? MEMORY_MIB;
  if (!existsSync(disk)) await exec("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", image.disk, disk]);
  const log = openSync(path.join(vm.folder, "qemu.log"), "a");
  const child = spawn("nsenter", [`--net=${NETNS}`, "--", "qemu-system-x86_64", ...qemuArguments(vm, image, disk, memoryMib)], { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  writeFileSync(processFile(vm), JSON.stringify({ pid: child.pid!, startTicks: (await startTicks(child.pid!)) ?? "", memoryMib } satisfies Started));
}

/** As pulling the plug. */
export async function powerOff(vm: Machine): Promise<void> {
  const identity = await running(vm);
  if (identity === undefined) return;
  await signalProcess(identity, "SIGKILL");
  await until(`${vm.name} being off`, async () => ((await isAlive(identity)) ? undefined : true), systemClock, OFF_TIMEOUT_MS);
}

/** As a power cut and its end, for all of them in the same moment. */
export async function hardReset(all: readonly Machine[], image: VmImage): Promise<void> {
  await Promise.all(all.map(powerOff));
  for (const vm of all) await powerOn(vm, image);
  await Promise.all(all.map((vm) => waitForBoot(vm, image)));
}

async function signal(vm: Machine, name: NodeJS.Signals): Promise<void> {
  const identity = await running(vm);
  if (identity === undefined || !(await signalProcess(identity, name))) throw new Error(`Cannot send ${name} to ${vm.name}: it is off; "npm run vm -- on ${vm.number}" starts it`);
}
/** The machine stands still: its processors, not its clock, which jumps when it goes on. */
export const pause = (vm: Machine): Promise<void> => signal(vm, "SIGSTOP");
export const resume = (vm: Machine): Promise<void> => signal(vm, "SIGCONT");
/** No packet in or out, until the link is restored. */
export const cutLink = (vm: Machine): Promise<unknown> => setLink(vm.number, "down");
export const restoreLink = (vm: Machine): Promise<unknown> => setLink(vm.number, "up");

export const sshArguments = (vm: Machine, image: VmImage, user = "root"): string[] => ["-i", image.sshKey, "-o", "BatchMode=yes", "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=15", "-o", "StrictHostKeyChecking=accept-new", "-o", `UserKnownHostsFile=${path.join(vm.folder, "known_hosts")}`, "-o", "LogLevel=ERROR", `${user}@${vm.address}`];
/** Runs a command on the machine. Words are joined by the shell there. */
export const ssh = (vm: Machine, image: VmImage, command: string, options: ExecOptions = {}): Promise<{ stdout: string; stderr: string }> => beside("ssh", [...sshArguments(vm, image), "--", command], options);
export const copyTo = (vm: Machine, image: VmImage, source: string, target: string): Promise<unknown> => {
  const args = sshArguments(vm, image);
  return beside("scp", ["-q", "-r", ...args.slice(0, -1), source, `${args.at(-1)!}:${target}`]);
};

/** Waits until systemd says that the machine is up, in a boot other than `oldBoot` where one is given. Returns how long it took, in milliseconds. */
export async function waitForBoot(vm: Machine, image: VmImage, oldBoot?: string): Promise<number> {
  const startMs = systemClock.monotonicMs();
  await until(`${vm.name} answering over SSH (its console: ${path.join(vm.folder, "console.log")})`, async () => {
    if ((await running(vm)) === undefined) throw new Error(`QEMU has ended: ${readFileSync(path.join(vm.folder, "qemu.log"), "utf8").slice(-500)}`);
    try {
      const { stdout } = await ssh(vm, image, "systemctl is-system-running --wait >/dev/null; cat /proc/sys/kernel/random/boot_id", { timeoutMs: BOOT_TIMEOUT_MS });
      if (stdout.trim() === oldBoot) throw new Error(`${vm.name} has not gone down yet`);
      return true as const;
    } catch (error) { await systemClock.sleep(PAUSE_BETWEEN_TRIES_MS); throw error; } // Nothing tells when a machine begins to listen.
  }, systemClock, BOOT_TIMEOUT_MS);
  return systemClock.monotonicMs() - startMs;
}

/** As an operator's `reboot`: everything in it is asked to stop first. */
export async function reboot(vm: Machine, image: VmImage): Promise<number> {
  const { stdout } = await ssh(vm, image, "cat /proc/sys/kernel/random/boot_id");
  await ssh(vm, image, "systemctl reboot").catch(() => undefined); // The connection may end before the command does.
  return waitForBoot(vm, image, stdout.trim());
}

const LOOP = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
/** How many times slower the machine is than this one, by a fixed loop: what limits are multiplied with. */
export async function calibrate(vm: Machine, image: VmImage): Promise<number> {
  const time = async (work: () => Promise<unknown>): Promise<number> => { const startMs = systemClock.monotonicMs(); await work(); return systemClock.monotonicMs() - startMs; };
  const bare = await time(() => ssh(vm, image, "true")), there = await time(() => ssh(vm, image, LOOP)), here = await time(() => exec("sh", ["-c", LOOP]));
  return Math.max(1, (there - bare) / here);
}

/** Starts machines 1 to `count` and waits for all. */
export async function bringUp(count: number, options: MachineOptions = {}): Promise<{ image: VmImage; machines: Machine[] }> {
  const image = await ensureImage(), all = Array.from({ length: count }, (_, i) => machine(i + 1));
  for (const vm of all) await powerOn(vm, image, options);
  await Promise.all(all.map((vm) => waitForBoot(vm, image)));
  return { image, machines: all };
}

/** Ends every machine and takes disks away; the network too, unless `keepNetwork`. */
export async function takeDown({ keepNetwork = false } = {}): Promise<void> {
  for (const vm of machines()) await powerOff(vm);
  rmSync(STATE, { recursive: true, force: true });
  if (!keepNetwork) await removeNetwork();
}

/** Every machine's journal, all boots, one file each, into `folder`; of a machine that does not answer, its console. */
export async function collectJournals(image: VmImage, folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await Promise.all(machines().map(async (vm) => {
    const text = await ssh(vm, image, "journalctl -o short-precise --no-pager", { timeoutMs: 60_000 }).then((r) => r.stdout, (error: unknown) => `no journal: ${String(error)}\n${readFileSync(path.join(vm.folder, "console.log"), "utf8")}`);
    writeFileSync(path.join(folder, `${vm.name}.log`), text);
  }));
}
