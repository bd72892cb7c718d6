/** Facts of the host's network and of who else is on it: ports, iptables, firewalls, units, files. Reads only. */
import { readdir, readlink } from "node:fs/promises";
import { inspectOtherBackend, parseVersion } from "../../../node-iptables/index.ts";
import { resolvConf } from "../facts.ts";
import { unitName } from "../host-paths.ts";
import { isThere, output, readText } from "./gather-machine.ts";
import type { FirewallFacts, HostFacts, HostRole, IptablesFacts, Listener, PortFact } from "./host-facts.ts";
import { ENGINE_UNITS, OTHER_CLUSTERS, UP_CLUSTER_FILE } from "./neighbours.ts";
import { portsOf } from "./ports.ts";

interface Socket { readonly port: number; readonly protocol: "tcp" | "udp"; /** Listens on every address. */ readonly everywhere: boolean; readonly inode: string }
const LISTEN = "0A", UNCONNECTED = "07";

/** Listening sockets of a table of /proc/net. Source: proc(5). Pure. */
export function parseSockets(text: string, protocol: "tcp" | "udp"): Socket[] {
  return text.split("\n").map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === (protocol === "tcp" ? LISTEN : UNCONNECTED)).map((fields) => {
    const [address = "", port = ""] = fields[1]!.split(":");
    return { port: Number.parseInt(port, 16), protocol, everywhere: /^0+$/.test(address), inode: fields[9]! };
  });
}

interface Holder extends Listener { /** Text of proc(5)'s `cgroup`. */ readonly groups: string }
/** Who has the sockets, by the files each process has open. */
async function holders(inodes: ReadonlySet<string>): Promise<Map<string, Holder>> {
  const found = new Map<string, Holder>();
  if (inodes.size === 0) return found;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    for (const descriptor of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const inode = /^socket:\[(\d+)\]$/.exec(await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => ""))?.[1];
      if (inode !== undefined && inodes.has(inode) && !found.has(inode)) found.set(inode, { pid: Number(pid), command: (await readText(`/proc/${pid}/cmdline`)).split("\0").filter(Boolean).join(" ").slice(0, 120), groups: await readText(`/proc/${pid}/cgroup`) });
    }
  }
  return found;
}

/** Whether a process of these control groups belongs to the unit. Pure. */
export const isOfUnit = (groups: string, unit: string): boolean => groups.split("\n").some((line) => line.split("/").includes(unit));

async function gatherPorts(role: HostRole, apiPort: number, active: (unit: string) => boolean): Promise<PortFact[]> {
  const tables = await Promise.all((["tcp", "udp"] as const).flatMap((protocol) => [protocol, `${protocol}6`].map(async (table) => parseSockets(await readText(`/proc/net/${table}`), protocol))));
  const wanted = portsOf(role, apiPort), sockets = tables.flat();
  // The DNS server listens on an address of its own, so only who listens everywhere is in its way.
  const taken = wanted.map((each) => sockets.find((socket) => socket.port === each.port && socket.protocol === each.protocol && (each.port !== 53 || socket.everywhere)));
  const who = await holders(new Set(taken.filter((socket) => socket !== undefined).map((socket) => socket.inode)));
  return wanted.map(({ port, protocol, daemon }, i) => {
    const socket = taken[i], holder = socket === undefined ? undefined : who.get(socket.inode), unit = unitName(daemon), fact = { port, protocol, daemon };
    if (holder !== undefined) return { ...fact, own: isOfUnit(holder.groups, unit), holder: { pid: holder.pid, command: holder.command } };
    // The kernel's own sockets, such as VXLAN's, are held by no process.
    return { ...fact, own: active(unit), holder: socket === undefined ? undefined : { pid: 0, command: "a process that cannot be seen" } };
  });
}

async function gatherIptables(): Promise<IptablesFacts> {
  const version = await output("iptables", "--version");
  if (version === "") return { own: undefined, other: undefined, filter: "" };
  const own = parseVersion(version), other = await inspectOtherBackend(own.backend, 4).catch(() => undefined);
  return { own, other, filter: await output("iptables-save", "-t", "filter") };
}

async function gatherFirewall(active: (unit: string) => boolean): Promise<FirewallFacts> {
  const firewalld = active("firewalld.service"), ufwStatus = active("ufw.service") ? await output("ufw", "status") : "";
  return { ufw: /^Status: active/m.test(ufwStatus), ufwStatus, firewalld, firewalldPorts: firewalld ? (await output("firewall-cmd", "--list-ports")).split(/\s+/) : [] };
}

/** Units that run, of those asked for. */
async function activeUnits(wanted: readonly string[]): Promise<string[]> {
  const states = (await output("systemctl", "show", "--property=Id,ActiveState", ...wanted)).split("\n\n");
  return states.filter((text) => /^ActiveState=(active|activating|reloading)$/m.test(text)).map((text) => /^Id=(.*)$/m.exec(text)?.[1] ?? "");
}

async function programsNow(wanted: ReadonlySet<string>): Promise<string[]> {
  const names = await Promise.all((await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((pid) => readText(`/proc/${pid}/comm`)));
  return [...new Set(names.filter((name) => wanted.has(name)))];
}

export type NetworkFacts = Pick<HostFacts, "ports" | "iptables" | "firewall" | "activeUnits" | "programs" | "foreignFiles" | "cniFiles" | "resolver">;
export async function gatherNetwork(role: HostRole, apiPort: number): Promise<NetworkFacts> {
  const daemons = portsOf(role, apiPort).map((each) => unitName(each.daemon)), units = await activeUnits([...new Set([...daemons, ...Object.keys(ENGINE_UNITS), ...OTHER_CLUSTERS.flatMap((each) => each.units), "ufw.service", "firewalld.service"])]);
  const active = (unit: string): boolean => units.includes(unit), files = [UP_CLUSTER_FILE, ...OTHER_CLUSTERS.flatMap((each) => each.files)], there = await Promise.all(files.map(isThere));
  const [ports, iptables, firewall, programs, cniFiles, podResolvConf, resolver] = await Promise.all([
    gatherPorts(role, apiPort, active), gatherIptables(), gatherFirewall(active), programsNow(new Set(OTHER_CLUSTERS.flatMap((each) => each.programs))),
    readdir("/etc/cni/net.d").catch((): string[] => []), resolvConf(), readText("/etc/resolv.conf"),
  ]);
  return {
    ports, iptables, firewall, programs, activeUnits: units, foreignFiles: files.filter((_, i) => there[i]), cniFiles: cniFiles.filter((file) => /\.(conf|conflist|json)$/.test(file)).toSorted(),
    resolver: { nameservers: [...resolver.matchAll(/^nameserver\s+(\S+)/gm)].map((match) => match[1]!), podResolvConf },
  };
}
