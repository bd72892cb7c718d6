/**
 * Hosts of `kaji up`: a worker is a network, mount and UTS namespace of its own, joined to the others by a
 * bridge in a further namespace, the switch. The machine itself is on that network with the link `kaji0`.
 *
 * Guarantees: `ensure…` is idempotent and finishes what an interrupted run began; `removeHosts` leaves no namespace,
 * link, mount or directory of ours. Nothing is changed in the machine's own firewall here.
 */
import { mkdir, readFile, realpath, rmdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { exec, ExecError } from "../util/exec.ts";
import { type ClusterConfig, type HostConfig, masterAddress, parseRange } from "./cluster-config.ts";
import { hostOfUpConfig } from "./containerd-config.ts";
import { DATA_DIR, hostDir, NAMESPACES_DIR, namespaceFile } from "./paths.ts";

const SWITCH = "switch";
export const MACHINE_LINK = "kaji0";
/** Directories each host has for itself, as seen inside; on the machine they lie under the host's data directory. */
export const HOST_DIRECTORIES = ["/var/log/pods", "/var/log/containers", "/var/lib/kubelet", "/var/lib/cni", "/var/lib/containerd", "/etc/cni/net.d"] as const;
const CREATED_FILE = path.join(DATA_DIR, "created-directories");
const backing = (host: string, directory: string): string => path.join(hostDir(host), directory.slice(1).replaceAll("/", "-"));

async function isMountPoint(target: string): Promise<boolean> {
  return (await readFile("/proc/self/mountinfo", "utf8")).split("\n").some((line) => line.split(" ")[4] === target);
}
const exists = async (file: string): Promise<boolean> => stat(file).then(() => true, () => false);

/** Arguments for `nsenter` that put a program into the host; the machine's own view is kept only where a host has none. */
export const enterHost = (host: string): string[] => [`--net=${namespaceFile(host, "net")}`, `--mount=${namespaceFile(host, "mnt")}`, `--uts=${namespaceFile(host, "uts")}`, "--"];
const inNet = (name: string, ...command: string[]): Promise<{ stdout: string }> => exec("nsenter", [`--net=${namespaceFile(name, "net")}`, "--", ...command]);

/** Namespace pins must lie on a private mount, or the kernel refuses to pin a mount namespace. */
async function ensureNamespacesDir(): Promise<void> {
  await mkdir(NAMESPACES_DIR, { recursive: true, mode: 0o711 });
  if (!(await isMountPoint(NAMESPACES_DIR))) await exec("mount", ["-t", "tmpfs", "-o", "mode=711", "kaji-ns", NAMESPACES_DIR]);
  await exec("mount", ["--make-private", NAMESPACES_DIR]);
}

async function ensureNamespaces(name: string, kinds: readonly ("net" | "mnt" | "uts")[]): Promise<boolean> {
  const files = kinds.map((kind) => namespaceFile(name, kind));
  const mounted = await Promise.all(files.map(isMountPoint));
  if (mounted.every(Boolean)) return false;
  for (const file of files) { // Half-made by an interrupted run: begin again.
    if (await isMountPoint(file)) await exec("umount", ["-l", file]);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, "");
  }
  if (kinds.includes("mnt")) await pinMounts(namespaceFile(name, "mnt"));
  await exec("unshare", [...kinds.filter((kind) => kind !== "mnt").map((kind) => `--${kind}=${namespaceFile(name, kind)}`), "--", "true"]);
  return true;
}

/** More than one processor's block of numbers, and every processor's. */
const PIN_TRIES_MAX = 1_000;
/**
 * Pins a new mount namespace to `file`. The kernel wants its number to be above that of the namespace it is pinned in, and Linux 6.18 gives
 * numbers out by processor, 64 at a time: beside a mount namespace younger than the machine, as in a container, the first few may be refused.
 */
export async function pinMounts(file: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try { await exec("unshare", [`--mount=${file}`, "--propagation", "private", "--", "true"], { env: { ...process.env, LC_ALL: "C" } }); return; }
    catch (error) { if (!(error instanceof ExecError) || !error.stderr.includes("Invalid argument") || tries === PIN_TRIES_MAX) throw error; }
  }
}

async function hasLink(link: string, ns?: string): Promise<boolean> {
  const run = ns === undefined ? exec("ip", ["-j", "link", "show", "dev", link]) : inNet(ns, "ip", "-j", "link", "show", "dev", link);
  return run.then(() => true, () => false);
}

/** The switch: a namespace with a bridge, and `kaji0` with the machine's address on it. */
export async function ensureSwitch(config: ClusterConfig): Promise<void> {
  await ensureNamespacesDir();
  if (await ensureNamespaces(SWITCH, ["net"]) || !(await hasLink("br0", SWITCH))) {
    await inNet(SWITCH, "ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0");
    await inNet(SWITCH, "ip", "link", "set", "br0", "up");
    // Frames between hosts pass untouched: this namespace filters nothing.
    await inNet(SWITCH, "sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=0").catch(() => undefined);
  }
  if (!(await hasLink(MACHINE_LINK))) {
    await exec("ip", ["link", "add", MACHINE_LINK, "type", "veth", "peer", "name", "machine", "netns", namespaceFile(SWITCH, "net")]);
    await inNet(SWITCH, "ip", "link", "set", "machine", "master", "br0", "up");
  }
  await exec("ip", ["address", "replace", `${masterAddress(config)}/${parseRange(config.hostCidr, "--host-cidr").bits}`, "dev", MACHINE_LINK]);
  await exec("ip", ["link", "set", MACHINE_LINK, "up"]);
}

async function ensureLink(config: ClusterConfig, host: HostConfig): Promise<void> {
  const port = `p-${host.name}`.slice(0, 15);
  if (!(await hasLink("eth0", host.name))) {
    await inNet(SWITCH, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespaceFile(host.name, "net"));
    await inNet(SWITCH, "ip", "link", "set", port, "master", "br0", "up");
  }
  const ip = (...args: string[]): Promise<unknown> => inNet(host.name, "ip", ...args);
  await ip("link", "set", "lo", "up");
  await ip("address", "replace", `${host.address}/${parseRange(config.hostCidr, "--host-cidr").bits}`, "dev", "eth0");
  await ip("link", "set", "eth0", "up");
  // A host needs a route for Service addresses to get as far as its NAT rules; without egress that is all it gets.
  const gateway = masterAddress(config);
  if (config.egress) await ip("route", "replace", "default", "via", gateway, "dev", "eth0");
  else await ip("route", "replace", config.serviceCidr, "via", gateway, "dev", "eth0");
}

/** The host's own view of the file system. Runs once, inside its new mount namespace. */
async function mountHost(host: HostConfig): Promise<void> {
  const resolver = await realpath("/etc/resolv.conf").catch(() => "/etc/resolv.conf");
  const enter = (...command: string[]): Promise<unknown> => exec("nsenter", [...enterHost(host.name), ...command]);
  await enter("hostname", host.name);
  for (const directory of HOST_DIRECTORIES) await enter("mount", "--bind", backing(host.name, directory), directory);
  await enter("mount", "--make-rshared", "/var/lib/kubelet");
  await enter("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run");
  if (resolver.startsWith("/run/")) {
    await enter("mkdir", "-p", path.dirname(resolver));
    await enter("cp", path.join(hostDir(host.name), "resolv.conf"), resolver);
  }
}

/** Makes the host's directories. What had to be made in the machine's own tree as a mount point is remembered, to be taken away again. */
async function ensureDirectories(host: HostConfig): Promise<void> {
  for (const directory of HOST_DIRECTORIES) {
    await mkdir(backing(host.name, directory), { recursive: true, mode: directory === "/var/lib/kubelet" || directory === "/var/lib/containerd" ? 0o700 : 0o755 });
    const missing: string[] = [];
    for (let level: string = directory; !(await exists(level)); level = path.dirname(level)) missing.unshift(level);
    if (missing.length === 0) continue;
    await writeFile(CREATED_FILE, `${missing.join("\n")}\n`, { flag: "a" }); // First the note: an interrupted run is undone too.
    await mkdir(directory, { recursive: true });
  }
}

/** Nameservers outside this machine's loopback; with no egress there are none to forward to. */
async function resolverText(config: ClusterConfig): Promise<string> {
  if (!config.egress) return "# no egress: nothing to forward to\n";
  for (const file of ["/run/systemd/resolve/resolv.conf", "/etc/resolv.conf"]) {
    const text = await readFile(file, "utf8").catch(() => "");
    const lines = text.split("\n").filter((line) => /^(nameserver|search|options)\s/.test(line) && !/^nameserver\s+(127\.|::1)/.test(line));
    if (lines.some((line) => line.startsWith("nameserver"))) return `${lines.join("\n")}\n`;
  }
  return "# this machine names no resolver\n";
}

/** Makes the host, or what is missing of it. */
export async function ensureHost(config: ClusterConfig, host: HostConfig): Promise<void> {
  await mkdir(hostDir(host.name), { recursive: true });
  await writeFile(path.join(hostDir(host.name), "resolv.conf"), await resolverText(config));
  await writeFile(path.join(hostDir(host.name), "containerd.toml"), await hostOfUpConfig());
  await ensureDirectories(host);
  if (await ensureNamespaces(host.name, ["net", "mnt", "uts"])) await mountHost(host);
  await ensureLink(config, host);
}

/** Whether every namespace and link of the host is there. */
export async function hostExists(host: HostConfig): Promise<boolean> {
  return (await isMountPoint(namespaceFile(host.name, "mnt"))) && (await isMountPoint(namespaceFile(host.name, "net"))) && hasLink("eth0", host.name);
}

/** Unpins every namespace and takes away links and directories. The hosts' processes must have ended. */
export async function removeHosts(): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8")).split("\n").map((line) => line.split(" ")[4] ?? "").filter((target) => target.startsWith(`${NAMESPACES_DIR}/`));
  if (await hasLink(MACHINE_LINK)) await exec("ip", ["link", "delete", MACHINE_LINK]);
  for (const target of mounts) await exec("umount", ["-l", target]);
  if (await isMountPoint(NAMESPACES_DIR)) await exec("umount", ["-l", NAMESPACES_DIR]);
  const created = (await readFile(CREATED_FILE, "utf8").catch(() => "")).split("\n").filter(Boolean);
  for (const directory of created.toReversed()) await rmdir(directory).catch(() => undefined); // Not empty: somebody else uses it now.
}
