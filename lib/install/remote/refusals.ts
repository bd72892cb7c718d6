/** What keeps hosts from being one cluster, found before anything is changed: pure. What a host itself lacks is found by `kaji check` on it. */
import type { MembersReport } from "../host/members-report.ts";
import type { ClusterSpec, HostSpec } from "./cluster-file.ts";
import { nodeNameOf, type HostFacts } from "./host-facts.ts";

/** Something that must be put right by a person. Without `host` it holds back everything. */
export interface Refusal { readonly host?: string | undefined; readonly found: string; readonly nextStep: string }

/** Certificates count from now, leases in seconds: beyond this a cluster misbehaves in ways nobody would look for in a clock. */
export const CLOCK_OFFSET_MAX_MS = 30_000;
const SPARE_MIB = 200;

function pairs<T>(items: readonly T[], same: (a: T, b: T) => boolean): [T, T][] {
  return items.flatMap((a, i) => items.slice(i + 1).filter((b) => same(a, b)).map((b): [T, T] => [a, b]));
}
const quote = (host: HostSpec): string => `"${host.name}" (${host.reach.address})`;

/** Hosts that are one another, or that the cluster knows as others. */
export function clashes(spec: ClusterSpec, facts: ReadonlyMap<string, HostFacts>, report: MembersReport | undefined): Refusal[] {
  const known = spec.hosts.flatMap((host) => { const own = facts.get(host.name); return own === undefined ? [] : [{ host, facts: own, node: nodeNameOf(host, own) }]; });
  const machines = pairs(known, (a, b) => a.facts.machineId !== "" && a.facts.machineId === b.facts.machineId), one = (a: (typeof known)[number], b: (typeof known)[number]): boolean => machines.some(([x, y]) => x === a && y === b);
  const refusals: Refusal[] = machines.map(([a, b]) => a.facts.addresses.length > 0 && a.facts.addresses.join() === b.facts.addresses.join()
    ? { found: `hosts ${quote(a.host)} and ${quote(b.host)} are the same machine`, nextStep: "name it once" }
    : { found: `hosts ${quote(a.host)} and ${quote(b.host)} have the same machine-id ${a.facts.machineId}: one is a clone of the other`, nextStep: 'on one of them: "rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup", then reboot' });
  for (const [a, b] of pairs(known, (x, y) => x.node === y.node)) if (!one(a, b)) refusals.push({ found: `hosts ${quote(a.host)} and ${quote(b.host)} have the same name "${a.node}"`, nextStep: 'give one another name ("hostnamectl set-hostname NAME")' });
  for (const [a, b] of pairs(known, (x, y) => x.host.nodeIp !== undefined && (x.host.nodeIp === y.host.nodeIp || (y.host.nodeIp === undefined && y.host.reach.address === x.host.nodeIp)))) {
    if (!one(a, b)) refusals.push({ found: `hosts ${quote(a.host)} and ${quote(b.host)} have the same address ${a.host.nodeIp!}`, nextStep: "correct nodeIP of one of them" });
  }
  for (const { host, facts: own, node } of known) {
    const other = report?.nodes.find((each) => each.name === node);
    if (other?.ready === true && own.nodeName === undefined && other.machineId !== "" && other.machineId !== own.machineId) refusals.push({ host: host.name, found: `the cluster has another machine as node "${node}" (${other.address})`, nextStep: "give this host another name, or take that one out first" });
  }
  return refusals;
}

/** What was said of the cluster and can be said only once. */
export function settingsProblems(spec: ClusterSpec, report: MembersReport | undefined): Refusal[] {
  const settings = report?.settings;
  if (settings === undefined) return [];
  const rows: [string, string | number | undefined, string | number][] = [
    ["podCIDR", spec.cluster.podCIDR, settings.podCidr], ["serviceCIDR", spec.cluster.serviceCIDR, settings.serviceCidr], ["domain", spec.cluster.domain, settings.clusterDomain],
    ["port", spec.cluster.port, Number(new URL(settings.server).port || 443)], ["profile", spec.cluster.profile, settings.profile],
  ];
  const changed = rows.filter(([, wanted, has]) => wanted !== undefined && wanted !== has).map(([field, wanted, has]): Refusal => ({ found: `cluster.${field} is ${wanted}, the cluster was made with ${has}`, nextStep: `write ${has}, or make a new cluster ("kaji delete" first)` }));
  const master = spec.hosts.find((host) => host.role === "master")!, recorded = Object.entries(report!.members).find(([, member]) => member.role === "master");
  if (recorded !== undefined && spec.complete && recorded[0] !== master.nodeName) changed.push({ found: `the cluster's master was added as "${recorded[0]}", here it is called "${master.name}"`, nextStep: `call it "${recorded[0]}"` });
  return changed;
}

/** What keeps one host out. `carryMib` is what must be carried there. */
export function problemsOf(host: HostSpec, facts: HostFacts, authority: string | undefined, carryMib: number): Refusal[] {
  const refusals: Refusal[] = [], refuse = (found: string, nextStep: string): void => { refusals.push({ host: host.name, found, nextStep }); };
  if (facts.architecture === undefined) refuse(`its processor is ${facts.machine}`, "use an x86_64 or aarch64 host");
  if (!facts.systemd) refuse("systemd does not run it", "use a distribution with systemd");
  if (facts.up) refuse('it runs a cluster of its own ("kaji up")', 'end that first: "kaji down"');
  if (facts.foreignKubelet) refuse("another cluster's kubelet runs there (kubelet.service)", "take the host out of its other cluster first");
  if (Math.abs(facts.clockOffsetMs) > CLOCK_OFFSET_MAX_MS) {
    const seconds = Math.round(Math.abs(facts.clockOffsetMs) / 1000);
    refuse(`its clock is ${seconds} s ${facts.clockOffsetMs > 0 ? "ahead of" : "behind"} this machine's, at most ${CLOCK_OFFSET_MAX_MS / 1000} s is allowed`, 'set it ("timedatectl set-ntp true"), or this machine\'s when every host differs by as much');
  }
  if (carryMib > 0 && facts.freeMib < carryMib + SPARE_MIB) refuse(`/var/lib has ${facts.freeMib} MiB free, what is carried there takes ${carryMib} and ${SPARE_MIB} are left spare`, "free some space");
  if (!facts.library && facts.packages === "none") refuse("libatomic.so.1 is missing, which the program needs, and there is no apt-get", "install the distribution's package of libatomic");
  if (host.role === "worker" && facts.isMaster && !facts.up) refuse("it is the master of a cluster", 'give it the role master, or run "kaji reset" there first');
  if (host.role === "master" && !facts.isMaster && facts.nodeName !== undefined) refuse(`it is node "${facts.nodeName}" of a cluster`, 'run "kaji reset" there first, or give it the role worker');
  if (host.role === "worker" && facts.authority !== undefined && facts.authority !== authority) refuse("it belongs to another cluster (its certificate authority is not the master's)", 'run "kaji reset" there first');
  if (facts.nodeName !== undefined && host.nodeName !== undefined && facts.nodeName !== host.nodeName) refuse(`it is node "${facts.nodeName}" already`, `call it "${facts.nodeName}", or take it out of the file, apply, and add it again`);
  return refusals;
}
