/**
 * What `kaji down`, `kaji reset` and `kaji delete` must leave as it was: read before, read again after, compared as text, section by section.
 *
 * It is one POSIX script, run on this machine or on another, since a bare machine has no node to run us. Counters, times and what
 * comes and goes by itself are left out where the script is written, so that an empty difference is what is expected.
 */
import { exec } from "../lib/util/exec.ts";

/** Section name to its lines. */
export type MachineState = Readonly<Record<string, readonly string[]>>;
/** Runs a shell script on the machine in question and returns what it printed. */
export type RunScript = (script: string) => Promise<string>;

const section = (name: string, script: string): string => `echo "=== ${name}"; ${script}`;

const NETWORK = [
  section("links", "ip -o link | cut -d: -f2 | sort"),
  section("addresses", "ip -o addr | awk '{ print $2, $3, $4 }' | sort"),
  section("routes", "{ ip -4 route show table all; ip -6 route show; } | sed 's/ expires [^ ]*//' | sort"),
  // A bare machine has none of these programs, and then no way to have rules: see `tools`.
  section("rules", "{ iptables-save; ip6tables-save; iptables-legacy-save; ip6tables-legacy-save; } 2>/dev/null | grep -v '^#' | sed 's/\\[[0-9]*:[0-9]*\\]//; s/ *$//'"),
];
const KERNEL = [
  section("mounts", "cut -d' ' -f5 /proc/self/mountinfo | grep -v -e /proc/sys/fs/binfmt_misc -e /run/user | sort"),
  section("sysctls", "for name in net/ipv4/ip_forward net/ipv4/conf/all/forwarding net/ipv4/conf/all/rp_filter net/netfilter/nf_conntrack_max; do echo \"$name=$(cat /proc/sys/$name 2>/dev/null || echo absent)\"; done"),
];

/** Programs a cluster runs; others on a machine that does more come and go. */
const OURS = "kaji|containerd|kubelet|kube-|nginx|catatonit|runc|etcd", NOT_OURS = "ava|test/run|npm|/proc_api|^grep ";
const WATCHED_PATHS = "/etc/kaji /var/lib/kaji /run/kaji /etc/cni/net.d /var/lib/cni /var/lib/kubelet /var/log/pods /var/log/containers /var/lib/containerd /run/containerd /run/netns /usr/local/bin/kaji";
/** Of a machine that others use too: what has a name of ours. */
const SHARED_MACHINE = [
  ...NETWORK, ...KERNEL,
  section("cgroups", "find /sys/fs/cgroup -maxdepth 4 -type d 2>/dev/null | grep -E 'kaji|kubepods' | sort"),
  section("namespaces", "{ lsns -n -o TYPE,NS -t net; lsns -n -o TYPE,NS -t uts; } | sort -u"),
  section("processes", `for each in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < "$each" 2>/dev/null && echo; done | sed 's/ *$//' | grep -E '${OURS}' | grep -v -E '${NOT_OURS}' | sort`),
  section("units", "[ ! -d /run/systemd/system ] || systemctl list-units --all --no-legend --plain"),
  section("files", `for each in ${WATCHED_PATHS}; do if [ -d $each ]; then echo "$each" $(ls -A $each); elif [ -e $each ]; then echo "$each file"; fi; done`),
];

/** Written to by running systems and by any package manager: nothing in them is ours. */
const RESTLESS = [
  "/var/log", "/var/cache", "/tmp", "/var/tmp", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/systemd/random-seed", "/var/lib/systemd/timers", "/var/lib/systemd/timesync", "/var/lib/systemd/catalog",
  "/var/lib/logrotate", "/var/lib/sudo/ts", "/var/lib/private", "/etc/ld.so.cache", "/lost+found",
].map((each) => `-path ${each}`).join(" -o ");
/** The kernel's rules, whatever made them: nft and what it needs, borrowed for this look where the machine has none. */
const RULES_BY_NFT = "nft=$(command -v nft || echo /tmp/state-tools/usr/sbin/nft); LD_LIBRARY_PATH=/tmp/state-tools/usr/lib/x86_64-linux-gnu $nft list ruleset 2>&1 | sed 's/packets [0-9]* bytes [0-9]*//'; for family in ip ip6; do cat /proc/net/${family}_tables_names 2>/dev/null; done";
/** Settings that the kernel works out anew at each boot, from the memory that is free then: names under /proc/sys. */
export const WORKED_OUT_AT_BOOT = ["vm/user_reserve_kbytes", "vm/admin_reserve_kbytes"];
/** Where a test machine keeps what they were at its present boot, written before anything else runs: `name:value` a line. */
export const BOOT_SETTINGS_FILE = "/run/boot-settings";
/** A look may be of another boot than the look before it, so what is compared of them is whether something has set them since the boot. */
const SINCE_BOOT = `cd /proc/sys; grep -H . ${WORKED_OUT_AT_BOOT.join(" ")} | while read -r line; do grep -qxF "$line" ${BOOT_SETTINGS_FILE} && echo "\${line%%:*} as at boot" || echo "$line, at boot $(grep "^\${line%%:*}:" ${BOOT_SETTINGS_FILE})"; done; cd /`;
/** Of a machine that is ours alone: everything. */
const WHOLE_MACHINE = [
  ...NETWORK.filter((each) => !each.includes('"=== rules"')), section("rules", RULES_BY_NFT), ...KERNEL,
  section("all sysctls", `for name in net/ipv4/conf/default net/ipv4/conf/eth0 net/ipv4/conf/lo net/ipv6/conf/all kernel vm; do find /proc/sys/$name -maxdepth 1 -type f -exec grep -sH '' {} +; done | grep -v -e kernel/random -e /kernel/ns_last_pid -e stat_refresh -e /kernel/pty -e compact_memory -e overcommit_kbytes -e dirty_bytes${WORKED_OUT_AT_BOOT.map((each) => ` -e /${each}`).join("")} | sort`),
  section("settings since boot", SINCE_BOOT),
  section("cgroups", "find /sys/fs/cgroup -type d | grep -v -e /user.slice/ -e 'system.slice/ssh@' -e '\\.timer' -e 'session-' -e 'system.slice/[^/]*\\.service' | sort"),
  section("processes", "head -qz -n1 /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n' | grep -v -E '^(sh|bash|-bash|find|head|tr|sort|grep|\\(sd-pam\\)|sshd:.*|/lib/systemd/systemd-hostnamed|\\(udev-worker\\))$' | sort -u"),
  section("network namespaces", "ls -A /run/netns 2>/dev/null"),
  section("units", "systemctl list-unit-files --no-legend --plain | awk '{ print $1, $2 }' | sort"),
  section("failed units", "systemctl list-units --failed --no-legend --plain"),
  section("packages", "dpkg-query -W -f '${Package} ${Version} ${db:Status-Abbrev}\\n' | sort"),
  section("users", "cat /etc/passwd /etc/group"),
  section("files", `find / -xdev \\( ${RESTLESS} \\) -prune -o -printf '%y %m %u:%g %p %l\\n' | sort -k4`),
  section("file contents", "find /etc /root /home /usr/local -xdev -type f ! -name ld.so.cache -exec sha256sum {} + | sort -k2"),
  section("run", "find /run -maxdepth 2 | grep -v -e /run/user -e /run/systemd -e /run/sudo -e /run/log -e /run/udev -e /run/credentials | sort"),
];

function parse(text: string): MachineState {
  const state: Record<string, string[]> = {};
  let lines: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("=== ")) state[line.slice(4)] = lines = [];
    else if (line !== "") lines.push(line);
  }
  return state;
}

const here: RunScript = async (script) => (await exec("sh", ["-s"], { input: script, env: { ...process.env, LC_ALL: "C" } })).stdout;
/** What has a name of ours, and the network, on this machine. */
export const readMachineState = async (): Promise<MachineState> => parse(await here(SHARED_MACHINE.join("\n")));
/** No machine is without these: an empty section was not read. */
const NEVER_EMPTY = ["links", "addresses", "routes", "mounts", "all sysctls", "settings since boot", "cgroups", "processes", "units", "packages", "users", "files", "file contents", "run"];
/** Everything on a machine that is ours alone, as root. Throws Error when a section could not be read. */
export async function readWholeMachine(run: RunScript): Promise<MachineState> {
  // On a slow machine the first question to systemd takes longer than the 25 s that systemctl waits by itself.
  const state = parse(await run(`export LC_ALL=C SYSTEMD_BUS_TIMEOUT=900\n${WHOLE_MACHINE.join("\n")}\n`)), unread = NEVER_EMPTY.filter((name) => (state[name] ?? []).length === 0);
  if (unread.length > 0) throw new Error(`Cannot read what is on the machine: nothing was found of ${unread.join(", ")}`);
  return state;
}

/** One line a difference: `section: - line` for what is gone, `+ line` for what is new. */
export function machineDifference(before: MachineState, after: MachineState): string[] {
  return Object.keys(before).flatMap((name) => {
    const was = new Set(before[name]), is = new Set(after[name]);
    return [...[...was].filter((line) => !is.has(line)).map((line) => `${name}: - ${line}`), ...[...is].filter((line) => !was.has(line)).map((line) => `${name}: + ${line}`)];
  });
}
