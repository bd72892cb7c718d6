/**
 * What a host is and what of a cluster is on it, learnt in one round trip: a POSIX script (a bare host has nothing of ours yet) that only reads,
 * and the parser of what it prints. Nothing the operator wrote goes into the script.
 */
import type { MembersReport } from "../host/members-report.ts";
import type { HostSpec } from "./cluster-file.ts";

const TOTAL_MAX_BYTES = 4 * 1024 * 1024;
export type Architecture = "x64" | "arm64";
export type UnitState = "current" | "stale" | "stopped";

export interface HostFacts {
  readonly hostname: string;
  readonly system: string;
  /** undefined: one we have no program for; `machine` says which. */
  readonly architecture: Architecture | undefined;
  readonly machine: string;
  readonly machineId: string;
  readonly addresses: readonly string[];
  /** Host's clock minus this machine's. */
  readonly clockOffsetMs: number;
  readonly freeMib: number;
  readonly systemd: boolean;
  readonly root: boolean;
  readonly packages: "apt" | "none";
  /** Whether libatomic.so.1 is there, without which our program does not start. */
  readonly library: boolean;
  /** SHA-256 of /usr/local/bin/kaji. */
  readonly program: string | undefined;
  readonly commit: string | undefined;
  /** Our daemons: running this program, running an older one, or not running. */
  readonly units: Readonly<Record<string, UnitState>>;
  /** Files of ours are there, whole or not. */
  readonly traces: boolean;
  /** What the last whole upload of a bundle was. */
  readonly bundle: string | undefined;
  /** SHA-256 of the cluster's authority; undefined outside a cluster. */
  readonly authority: string | undefined;
  readonly isMaster: boolean;
  /** Which node the host is, or was about to become. */
  readonly nodeName: string | undefined;
  /** A running kubelet that is not ours. */
  readonly foreignKubelet: boolean;
  /** The host is a machine of `kaji up`. */
  readonly up: boolean;
  /** On a master whose API server answers. */
  readonly cluster: MembersReport | undefined;
}

/** The name of its node: what it is in its cluster, else what is wished, else its own. */
export const nodeNameOf = (host: HostSpec, facts: HostFacts): string => facts.nodeName ?? (host.nodeName ?? facts.hostname).toLowerCase();

/** Prints `key=value` lines. Only reads; asks no name server. */
export const FACTS_SCRIPT = `PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL
say() { printf '%s=%s\\n' "$1" "$2"; }
say time "$(date +%s%3N)"
say machine "$(uname -m)"
say hostname "$(uname -n)"
say uid "$(id -u)"
say system "$( (. /etc/os-release 2>/dev/null && printf %s "$PRETTY_NAME") || uname -s)"
say machineId "$(cat /etc/machine-id 2>/dev/null)"
[ -d /run/systemd/system ] && say systemd yes
command -v apt-get >/dev/null 2>&1 && say packages apt
for address in $(ip -o -4 address show scope global 2>/dev/null | while read -r _ _ _ a _; do printf '%s ' "\${a%%/*}"; done); do say address "$address"; done
say free "$(df -Pk /var/lib 2>/dev/null | while read -r _ _ _ free _; do f=$free; echo "$f"; done | tail -n 1)"
for file in /lib/*/libatomic.so.1 /usr/lib/*/libatomic.so.1 /usr/lib/libatomic.so.1 /usr/lib64/libatomic.so.1 /lib64/libatomic.so.1; do
  [ -e "$file" ] && { say library yes; break; }
done
K=/usr/local/bin/kaji
if [ -f "$K" ]; then
  sum=$(sha256sum "$K" 2>/dev/null); say program "\${sum%% *}"
  "$K" version 2>/dev/null | while read -r key value; do [ "$key" = commit: ] && say commit "$value"; done
fi
for directory in /etc/kaji /var/lib/kaji; do [ -e "$directory" ] && say traces yes; done
for unit in /etc/systemd/system/kaji-*.service; do
  [ -f "$unit" ] || continue
  say traces yes
  name=\${unit##*/}; name=\${name#kaji-}; name=\${name%.service}
  pid=$(systemctl show -p MainPID --value "kaji-$name.service" 2>/dev/null)
  state=stopped
  if systemctl is-active --quiet "kaji-$name.service" 2>/dev/null; then
    state=current
    case $(readlink "/proc/$pid/exe" 2>/dev/null) in *' (deleted)') [ "$name" = containerd ] || state=stale ;; esac
  fi
  say unit "$name $state"
done
[ -f /var/lib/kaji/bundle/.complete ] && say bundle "$(cat /var/lib/kaji/bundle/.complete)"
if [ -f /etc/kaji/pki/ca.crt ]; then sum=$(sha256sum /etc/kaji/pki/ca.crt); say authority "\${sum%% *}"; fi
if [ -f /etc/kaji/kubelet.conf ]; then
  name=$(grep -o 'system:node:[a-z0-9.-]*' /etc/kaji/kubelet.conf | head -n 1); say nodeName "\${name#system:node:}"
fi
[ -f /var/lib/kaji/cluster.json ] && say up yes
systemctl is-active --quiet kubelet.service 2>/dev/null && say foreignKubelet yes
if [ -f /etc/kaji/admin.conf ]; then
  say master yes
  [ -x "$K" ] && say cluster "$(timeout 150 "$K" members list 2>/dev/null)"
fi
exit 0
`;

const ARCHITECTURES: Record<string, Architecture> = { x86_64: "x64", amd64: "x64", aarch64: "arm64", arm64: "arm64" };

/** Reads what FACTS_SCRIPT printed; `askedMs` and `answeredMs` are this machine's time around it. */
export function parseFacts(output: string, askedMs: number, answeredMs: number): HostFacts {
  if (output.length > TOTAL_MAX_BYTES) throw new Error(`Cannot use what the host tells of itself: it is longer than ${TOTAL_MAX_BYTES} bytes`);
  const lines = output.split("\n").flatMap((line) => { const i = line.indexOf("="); return i > 0 ? [[line.slice(0, i), line.slice(i + 1)] as const] : []; });
  const one = (key: string): string | undefined => lines.find(([name]) => name === key)?.[1] || undefined, all = (key: string): string[] => lines.filter(([name]) => name === key).map(([, value]) => value);
  const machine = one("machine"), timeMs = Number(one("time"));
  if (machine === undefined || !Number.isFinite(timeMs)) throw new Error("Cannot use what the host tells of itself: it is no POSIX system");
  const cluster = one("cluster");
  return {
    hostname: one("hostname") ?? "", system: one("system") ?? "", architecture: ARCHITECTURES[machine], machine, machineId: one("machineId") ?? "", addresses: all("address"),
    // The script may have been asked long before it ran (sudo, a slow host): only what lies outside of that counts.
    clockOffsetMs: timeMs < askedMs ? timeMs - askedMs : timeMs > answeredMs ? timeMs - answeredMs : 0,
    freeMib: Math.floor(Number(one("free") ?? 0) / 1024), systemd: one("systemd") === "yes", root: one("uid") === "0", packages: one("packages") === "apt" ? "apt" : "none", library: one("library") === "yes",
    program: one("program"), commit: one("commit"),
    units: Object.fromEntries(all("unit").map((line) => line.split(" ")).filter(([, state]) => state === "current" || state === "stale" || state === "stopped")) as Record<string, UnitState>,
    traces: one("traces") === "yes" || one("program") !== undefined, bundle: one("bundle"), authority: one("authority"), isMaster: one("master") === "yes",
    nodeName: one("nodeName"), foreignKubelet: one("foreignKubelet") === "yes", up: one("up") === "yes",
    cluster: cluster === undefined ? undefined : parseReport(cluster),
  };
}

function parseReport(text: string): MembersReport | undefined {
  try { const value = JSON.parse(text) as MembersReport; return value.version === 1 ? value : undefined; }
  catch { return undefined; }
}
