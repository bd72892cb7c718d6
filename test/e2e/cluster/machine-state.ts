/** What `kaji down` must leave as it was: read before `up`, read again after `down`, compared as text. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { exec } from "../../../lib/util/exec.ts";

export interface MachineState {
  readonly links: string[];
  readonly addresses: string[];
  readonly routes: string[];
  readonly rules: string[];
  readonly mounts: string[];
  readonly cgroups: string[];
  readonly namespaces: string[];
  readonly processes: string[];
  readonly units: string[];
  readonly files: string[];
  readonly sysctls: string[];
}

const lines = async (file: string, ...args: string[]): Promise<string[]> => (await exec(file, args)).stdout.split("\n").filter(Boolean);
/** Counters and times change by themselves. */
const withoutCounters = (text: string): string => text.replace(/\[\d+:\d+\]/g, "").trimEnd();

function directoriesBelow(root: string, depth: number): string[] {
  if (depth === 0 || !existsSync(root)) return [];
  return readdirSync(root, { withFileTypes: true }).filter((e) => e.isDirectory()).flatMap((e) => [path.join(root, e.name), ...directoriesBelow(path.join(root, e.name), depth - 1)]);
}

/** Programs a cluster runs; others on this machine come and go. */
const OURS = /kaji|containerd|kubelet|kube-|nginx|catatonit|runc|etcd/;
function processes(): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").filter(Boolean).join(" ");
      return OURS.test(command) && !/ava|test\/run|npm|\/proc_api/.test(command) ? [command] : [];
    } catch { return []; } // Ended meanwhile.
  });
}

const WATCHED_PATHS = ["/etc/kaji", "/var/lib/kaji", "/run/kaji", "/etc/cni/net.d", "/var/lib/cni", "/var/lib/kubelet", "/var/log/pods", "/var/log/containers", "/var/lib/containerd", "/run/containerd", "/run/netns", "/usr/local/bin/kaji"];
const SYSCTLS = ["net/ipv4/ip_forward", "net/ipv4/conf/all/forwarding", "net/ipv4/conf/all/rp_filter", "net/netfilter/nf_conntrack_max"];

export async function readMachineState(): Promise<MachineState> {
  return {
    links: (await lines("ip", "-o", "link")).map((line) => line.split(": ")[1]!),
    addresses: (await lines("ip", "-o", "addr")).map((line) => line.split(/\s+/).slice(1, 4).join(" ")),
    routes: [...(await lines("ip", "-4", "route", "show", "table", "all")), ...(await lines("ip", "-6", "route", "show"))].map((line) => line.replace(/ expires \S+/, "")),
    rules: (await Promise.all(["iptables-save", "ip6tables-save", "iptables-legacy-save"].map((program) => lines(program).catch(() => [])))).flat().filter((line) => !line.startsWith("#")).map(withoutCounters),
    mounts: readFileSync("/proc/self/mountinfo", "utf8").split("\n").filter(Boolean).map((line) => line.split(" ")[4]!).sort(),
    cgroups: directoriesBelow("/sys/fs/cgroup", 4).filter((directory) => /kaji|kubepods/.test(directory)),
    namespaces: [...new Set((await lines("lsns", "-n", "-o", "TYPE,NS", "-t", "net")).concat(await lines("lsns", "-n", "-o", "TYPE,NS", "-t", "uts")))].map((line) => line.trim()).sort(),
    processes: processes().sort(),
    units: existsSync("/run/systemd/system") ? await lines("systemctl", "list-units", "--all", "--no-legend", "--plain") : [],
    files: WATCHED_PATHS.flatMap((file) => (existsSync(file) ? [`${file} ${statSync(file).isDirectory() ? readdirSync(file).sort().join(",") : "file"}`] : [])),
    sysctls: SYSCTLS.map((name) => `${name}=${existsSync(`/proc/sys/${name}`) ? readFileSync(`/proc/sys/${name}`, "utf8").trim() : "absent"}`),
  };
}
