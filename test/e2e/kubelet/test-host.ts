/**
 * A host for tests: a network, mount and UTS namespace with a containerd of its own, a bridge network and locally made images.
 * Needs root, containerd, runc, CNI plugins and busybox-static; says so when one is missing. `stop()` leaves nothing behind.
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { accessSync, existsSync, readdirSync, rmdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { containerdConfig } from "../../../lib/install/containerd-config.ts";
import { busyboxLayer, writeImage } from "./image-archive.ts";

const run = promisify(execFile);
const PRIVATE_DIRECTORIES = ["/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni", "/etc/cni/net.d"];
export const BUSYBOX_IMAGE = "docker.io/library/busybox:test", PAUSE_IMAGE = "registry.k8s.io/pause:test";

export interface TestHost {
  readonly name: string;
  readonly directory: string;
  /** containerd's socket as seen from inside (`inside`) and from this process (`outside`). */
  readonly endpoint: { inside: string; outside: string };
  readonly cgroupRoot: string;
  /** Arguments that put a command into the host's namespaces. */
  enter(command: readonly string[]): { file: string; args: string[] };
  run(command: readonly string[]): Promise<string>;
  restartContainerd(signal?: NodeJS.Signals): Promise<void>;
  stop(): Promise<void>;
}

function requireParts(): void {
  if (process.getuid?.() !== 0) throw new Error("Cannot start a test host: root is needed");
  for (const file of ["/usr/bin/containerd", "/usr/sbin/runc", "/usr/lib/cni/bridge", "/bin/busybox"]) {
    try { accessSync(file); } catch { throw new Error(`Cannot start a test host: ${file} is missing (install containerd, runc, containernetworking-plugins, busybox-static)`); }
  }
}

const cniConfig = (subnet: string): string => JSON.stringify({
  cniVersion: "1.0.0", name: "test", plugins: [
    { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: false, hairpinMode: true, ipam: { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] } },
    { type: "portmap", capabilities: { portMappings: true } },
  ],
});

async function until<T>(what: string, attempt: () => Promise<T | undefined> | T | undefined, timeoutMs = 20_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`Timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function makeImages(directory: string): Promise<string[]> {
  const layer = await busyboxLayer();
  const busybox = path.join(directory, "busybox.tar"), pause = path.join(directory, "pause.tar");
  await writeImage(busybox, BUSYBOX_IMAGE, layer, { Cmd: ["sh"], Env: ["PATH=/bin"] });
  await writeImage(pause, PAUSE_IMAGE, layer, { Entrypoint: ["/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 86400 & wait; done"], Env: ["PATH=/bin"] });
  return [busybox, pause];
}

/** Starts a host; `images` are further docker archives to import. */
export async function startTestHost(name: string, options: { subnet?: string; images?: readonly string[] } = {}): Promise<TestHost> {
  requireParts();
  const directory = await mkdtemp(path.join(tmpdir(), `kaji-test-${name}-`)), netns = `kaji-test-${name}`;
  const created = PRIVATE_DIRECTORIES.filter((target) => !existsSync(target));
  for (const target of PRIVATE_DIRECTORIES) await Promise.all([mkdir(path.join(directory, "root", target), { recursive: true }), mkdir(target, { recursive: true })]);
  await writeFile(path.join(directory, "containerd.toml"), await containerdConfig({ root: "/run/containerd-root", state: "/run/containerd", socket: "/run/containerd/containerd.sock", pauseImage: PAUSE_IMAGE, systemdCgroup: false }));
  await writeFile(path.join(directory, "root/etc/cni/net.d/10-test.conflist"), cniConfig(options.subnet ?? "10.244.77.0/24"));
  await run("ip", ["netns", "add", netns]);
  await run("ip", ["-n", netns, "link", "set", "lo", "up"]);
  const mounts = PRIVATE_DIRECTORIES.map((target) => `mount --bind ${directory}/root${target} ${target}`).join(" && ");
  const log = path.join(directory, "containerd.log");
  // The holder keeps the namespaces while containerd restarts.
  const holder = spawn("nsenter", [`--net=/run/netns/${netns}`, "unshare", "--mount", "--uts", "--propagation", "private", "sh", "-c",
    `hostname ${name} && ${mounts} && mount --make-rshared / && echo ready && exec sleep infinity`], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => { holder.stdout!.once("data", () => resolve()); holder.once("exit", (code) => reject(new Error(`Cannot start a test host: namespace holder exited with ${code}`))); });
  const enter = (command: readonly string[]): { file: string; args: string[] } => ({ file: "nsenter", args: ["-t", String(holder.pid), "--net", "--mount", "--uts", "--", ...command] });
  const inside = async (command: readonly string[]): Promise<string> => { const { file, args } = enter(command); return (await run(file, args, { maxBuffer: 64 << 20 })).stdout; };
  const outside = path.join(directory, "root/run/containerd/containerd.sock");
  let containerd: ChildProcess | undefined;
  const startContainerd = async (): Promise<void> => {
    const { file, args } = enter(["sh", "-c", `exec containerd --config ${directory}/containerd.toml >>${log} 2>&1`]);
    containerd = spawn(file, args, { stdio: "ignore" });
    await until("containerd", () => inside(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "containers", "ls"]).then(() => true, () => undefined));
  };
  await startContainerd();
  for (const image of [...(await makeImages(directory)), ...(options.images ?? [])]) await inside(["ctr", "-a", "/run/containerd/containerd.sock", "-n", "k8s.io", "images", "import", image]);
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const child = containerd!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await exited;
  };
  return {
    name, directory, enter, run: inside, cgroupRoot: `/kaji-test-${name}`,
    endpoint: { inside: "unix:///run/containerd/containerd.sock", outside: `unix://${outside}` },
    async restartContainerd(signal = "SIGTERM") { await kill(signal); await startContainerd(); },
    async stop() {
      await inside(["sh", "-c", "ctr -a /run/containerd/containerd.sock -n k8s.io tasks ls -q | xargs -r -n1 ctr -a /run/containerd/containerd.sock -n k8s.io tasks rm -f"]).catch(() => "");
      await kill("SIGTERM");
      for (const pid of processesOf(netns)) { try { process.kill(pid, "SIGKILL"); } catch { /* Gone. */ } }
      holder.kill("SIGKILL");
      await run("ip", ["netns", "del", netns]).catch(() => undefined);
      await until("processes to end", () => (processesOf(netns).length === 0 ? true : undefined)).catch(() => undefined);
      removeCgroups(`kaji-test-${name}`);
      await rm(directory, { recursive: true, force: true });
      for (const target of created.toReversed()) { try { rmdirSync(target); } catch { /* Someone uses it. */ } }
    },
  };
}

/** Processes that live in the host's network namespace, shims included. */
function processesOf(netns: string): number[] {
  const wanted = existsSync(`/run/netns/${netns}`) ? readInode(`/run/netns/${netns}`) : undefined;
  if (wanted === undefined) return [];
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => readInode(`/proc/${pid}/ns/net`) === wanted);
}

function readInode(file: string): string | undefined {
  try { return String(statIno(file)); } catch { return undefined; }
}
import { statSync } from "node:fs";
const statIno = (file: string): number => statSync(file).ino;

function removeCgroups(name: string): void {
  for (const controller of readdirSync("/sys/fs/cgroup")) {
    const top = path.join("/sys/fs/cgroup", controller, name);
    if (!existsSync(top)) continue;
    const directories = readdirSync(top, { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => path.join(entry.parentPath, entry.name));
    for (const directory of [...directories.sort((a, b) => b.length - a.length), top]) { try { rmdirSync(directory); } catch { /* Busy: another run's. */ } }
  }
}
