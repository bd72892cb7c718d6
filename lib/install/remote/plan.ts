/**
 * What `kaji apply` will do, from what the file wants and what the hosts are: pure.
 *
 * Promises: what cannot work together (two hosts with one name or machine-id, another master, changed address ranges) is refused as a whole, before
 * anything is changed; what is wrong with one host holds back only that host, unless it is the master. Every step is decided from what is there, never
 * from what an earlier run did, so a run that was interrupted anywhere is finished by the next. Where all is as wanted, there is no step.
 */
import type { Member, MembersReport, NodeReport, NodeWish } from "../host/members-report.ts";
import type { ClusterSpec, HostRole, HostSpec, Reach } from "./cluster-file.ts";
import { nodeNameOf, type Architecture, type HostFacts } from "./host-facts.ts";
import type { BundleFiles, LocalFile } from "./local-files.ts";
import { clashes, problemsOf, settingsProblems, type Refusal } from "./refusals.ts";
import { REMOTE_BUNDLE } from "./remote-kaji.ts";

export type Step = { readonly host: string } & (
  | { readonly kind: "library"; readonly from: "bundle" | "packages" }
  | { readonly kind: "program"; readonly program: LocalFile }
  | { readonly kind: "bundle"; readonly bundle: BundleFiles }
  | { readonly kind: "check"; readonly role: HostRole; readonly port: number | undefined; readonly nodeName: string | undefined }
  | { readonly kind: "restart"; readonly daemons: readonly string[] }
  | { readonly kind: "init"; readonly args: readonly string[] }
  | { readonly kind: "record"; readonly changes: Readonly<Record<string, Member | null>> }
  | { readonly kind: "join"; readonly nodeName: string | undefined; readonly nodeIp: string | undefined; readonly bundle: boolean }
  | { readonly kind: "configure"; readonly node: string; readonly wish: NodeWish }
  | { readonly kind: "drain"; readonly node: string; readonly timeoutMs: number }
  | { readonly kind: "reset" }
  | { readonly kind: "remove"; readonly node: string; readonly forget: boolean }
);
export type StepKind = Step["kind"];
/** Steps about a host that are done on the master. */
export const ON_MASTER: readonly StepKind[] = ["record", "configure", "drain", "remove"];

/** In this order; hosts of one stage at the same time, except where a stage says otherwise. */
export interface Plan {
  readonly refusals: readonly Refusal[];
  /** Carrying things over and looking: every host. */
  readonly prepare: readonly Step[];
  /** The master, in order. */
  readonly master: readonly Step[];
  /** New nodes. */
  readonly join: readonly Step[];
  /** Nodes that run already, one host after another. */
  readonly renew: readonly Step[];
  /** Hosts the file names no more, one after another. */
  readonly leave: readonly Step[];
  readonly notes: readonly string[];
}
export const STAGES = ["prepare", "master", "join", "renew", "leave"] as const;
export const allSteps = (plan: Plan): Step[] => STAGES.flatMap((stage) => [...plan[stage]]);

/** Carried things there are, by architecture. */
export interface Supplies { readonly programs: Partial<Record<Architecture, LocalFile>>; readonly bundles: Partial<Record<Architecture, BundleFiles>> }
/** A member that the file names no more; without facts it could not be reached. `givenUp`: then it is forgotten, reset or not. */
export interface Leaver { readonly node: string; readonly member: Member; readonly facts: HostFacts | undefined; readonly givenUp: boolean }
export interface Situation {
  /** By the host's name in `spec`; hosts that could not be reached are missing. */
  readonly facts: ReadonlyMap<string, HostFacts>;
  readonly leavers: readonly Leaver[];
}

export const MASTER_UNITS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const, NODE_UNITS = ["containerd", "kubelet", "kube-proxy"] as const;
export const clusterOf = (spec: ClusterSpec, facts: Situation["facts"]): MembersReport | undefined => facts.get(spec.hosts.find((host) => host.role === "master")!.name)?.cluster;

/** Members that `spec` names no more. Without a file nobody leaves. */
export function leaversOf(spec: ClusterSpec, facts: Situation["facts"]): { node: string; member: Member }[] {
  if (!spec.complete) return [];
  const wanted = new Set(spec.hosts.flatMap((host) => [host.name, host.nodeName ?? host.name]));
  return Object.entries(clusterOf(spec, facts)?.members ?? {}).filter(([name, member]) => member.role === "worker" && !wanted.has(name) && !wanted.has(member.host)).map(([node, member]) => ({ node, member }));
}

const MIB = 1024 ** 2;
/** What must be carried to a host: the library first, since the program does not start without it. */
export function supplySteps(host: string, facts: HostFacts, { programs, bundles }: Supplies, wantsBundle: boolean): Step[] {
  const architecture = facts.architecture!, program = programs[architecture]!, bundle = bundles[architecture];
  return [
    ...(facts.library ? [] : [{ host, kind: "library", from: bundle?.library === undefined ? "packages" : "bundle" } as const]),
    ...(facts.program === program.sha256 ? [] : [{ host, kind: "program", program } as const]),
    ...(!wantsBundle || bundle === undefined || facts.bundle === bundle.id ? [] : [{ host, kind: "bundle", bundle } as const]),
  ];
}
/** MiB that carrying takes. */
export const mibOf = (steps: readonly Step[]): number => Math.ceil(steps.reduce((sum, step) => sum + (step.kind === "program" ? step.program.bytes : step.kind === "bundle" ? step.bundle.bytes : 0), 0) / MIB);

/** Running daemons of an older program, or of the one that is replaced now. containerd is not ours. */
function staleDaemons(facts: HostFacts, replaced: boolean): string[] {
  return Object.entries(facts.units).filter(([name, state]) => name !== "containerd" && (state === "stale" || (replaced && state === "current"))).map(([name]) => name);
}
const runs = (facts: HostFacts, units: readonly string[]): boolean => units.every((unit) => facts.units[unit] === "current" || facts.units[unit] === "stale");

const memberReach = ({ address, port, user, jump }: Reach): Member["reach"] => ({ address, port, user, ...(jump === undefined ? {} : { jump: memberReach(jump) }) });
function memberOf(host: HostSpec, facts: HostFacts, names: readonly string[]): Member {
  return {
    role: host.role, host: host.name, machineId: facts.machineId, reach: memberReach(host.reach),
    labels: Object.keys(host.labels).toSorted(), taints: host.taints.map((taint) => `${taint.key}:${taint.effect}`).toSorted(), ...(host.role === "master" ? { apiServerNames: names } : {}),
  };
}

/** Flags of `kaji init`: what was said, else what the cluster has. */
function initArgs(spec: ClusterSpec, master: HostSpec, facts: HostFacts, names: readonly string[], bundle: boolean): string[] {
  const settings = facts.cluster?.settings, server = settings === undefined ? undefined : new URL(settings.server), { cluster } = spec;
  const kept = server !== undefined && facts.addresses.includes(server.hostname) ? server.hostname : undefined; // A host may have got another address: then init chooses.
  const flags: [string, string | number | undefined][] = [
    ["advertise-address", master.nodeIp ?? kept], ["port", cluster.port ?? (server === undefined ? undefined : Number(server.port || 443))], ["pod-cidr", cluster.podCIDR ?? settings?.podCidr],
    ["service-cidr", cluster.serviceCIDR ?? settings?.serviceCidr], ["cluster-domain", cluster.domain ?? settings?.clusterDomain], ["profile", cluster.profile ?? settings?.profile],
    ["apiserver-cert-extra-sans", names.length === 0 ? undefined : names.join(",")], ["token-ttl", "1m"], // apply makes its own.
    ["bundle", bundle ? REMOTE_BUNDLE : undefined], ["node-name", master.asNode === true ? master.nodeName ?? facts.nodeName : undefined],
  ];
  return [...flags.flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`])), ...(master.asNode === true ? ["--as-node"] : [])];
}

function planMaster(spec: ClusterSpec, master: HostSpec, facts: HostFacts, supplies: Supplies): { prepare: Step[]; steps: Step[]; configure: Step[]; names: string[] } {
  const host = master.name, report = facts.cluster, name = nodeNameOf(master, facts), node = report?.nodes.find((each) => each.name === name), recorded = report?.members[name]?.apiServerNames ?? [], asNode = master.asNode === true;
  // The address this machine reaches the master at must be in the API server's certificate, so that kubectl works from here.
  const names = [...new Set([...recorded, ...spec.cluster.apiServerNames, master.reach.address])].toSorted();
  // A master that is no node needs of a bundle only iproute2, which tells addresses.
  const supply = supplySteps(host, facts, supplies, asNode || facts.addresses.length === 0), replaced = supply.some((step) => step.kind === "program") && facts.program !== undefined, stale = staleDaemons(facts, replaced), fresh = supply.some((step) => step.kind === "bundle");
  const whole = report?.settings !== undefined && runs(facts, MASTER_UNITS) && names.every((each) => recorded.includes(each)) && (!asNode || (runs(facts, NODE_UNITS) && node?.ready === true));
  const wish = asNode ? wishOf(master, node, report?.members[name]) : undefined;
  return {
    prepare: [...supply, ...(whole ? [] : [{ host, kind: "check", role: "master", port: spec.cluster.port, nodeName: undefined } as const])],
    steps: [...(stale.length === 0 ? [] : [{ host, kind: "restart", daemons: stale } as const]), ...(whole && !replaced && !fresh && stale.length === 0 ? [] : [{ host, kind: "init", args: initArgs(spec, master, facts, names, fresh || facts.bundle !== undefined) } as const])],
    configure: wish === undefined ? [] : [{ host, kind: "configure", node: name, wish }],
    names,
  };
}

/** Labels and taints to set and to take away again; undefined when the node has them so. */
function wishOf(host: HostSpec, node: NodeReport | undefined, member: Member | undefined): NodeWish | undefined {
  const labels: Record<string, string | null> = {}, taintKey = (taint: { key: string; effect: string }): string => `${taint.key}:${taint.effect}`;
  for (const [key, value] of Object.entries(host.labels)) if (node?.labels[key] !== value) labels[key] = value;
  for (const key of member?.labels ?? []) if (host.labels[key] === undefined && node?.labels[key] !== undefined) labels[key] = null;
  const addTaints = host.taints.filter((wanted) => node?.taints.some((taint) => taintKey(taint) === taintKey(wanted) && taint.value === wanted.value) !== true);
  const removeTaints = (member?.taints ?? []).filter((key) => !host.taints.some((wanted) => taintKey(wanted) === key) && node?.taints.some((taint) => taintKey(taint) === key) === true);
  const uncordon = member?.leaving === true && node?.unschedulable === true;
  return Object.keys(labels).length + addTaints.length + removeTaints.length === 0 && !uncordon ? undefined : { labels, addTaints, removeTaints, uncordon };
}

function planWorker(host: HostSpec, facts: HostFacts, supplies: Supplies, report: MembersReport | undefined): { prepare: Step[]; join: Step[]; renew: Step[] } {
  const name = nodeNameOf(host, facts), node = report?.nodes.find((each) => each.name === name), member = report?.members[name], step = { host: host.name };
  const supply = supplySteps(host.name, facts, supplies, true), replaced = supply.some((each) => each.kind === "program") && facts.program !== undefined, stale = staleDaemons(facts, replaced);
  const joined = facts.nodeName !== undefined && runs(facts, NODE_UNITS) && node?.ready === true;
  const again = replaced || stale.length > 0 || supply.some((each) => each.kind === "bundle") || (host.nodeIp !== undefined && node?.address !== host.nodeIp);
  const wish = wishOf(host, node, member), configure: Step[] = wish === undefined ? [] : [{ ...step, kind: "configure", node: name, wish }];
  const restart: Step[] = stale.length > 0 ? [{ ...step, kind: "restart", daemons: stale }]
    // A kubelet whose Node somebody deleted makes it again when it starts.
    : facts.units["kubelet"] === "current" && report !== undefined && node === undefined ? [{ ...step, kind: "restart", daemons: ["kubelet"] }] : [];
  const join: Step = { ...step, kind: "join", nodeName: host.nodeName ?? facts.nodeName, nodeIp: host.nodeIp, bundle: facts.bundle !== undefined || supply.some((each) => each.kind === "bundle") };
  if (!joined) return { prepare: [...supply, { ...step, kind: "check", role: "worker", port: undefined, nodeName: host.nodeName }], join: [...restart, join, ...configure], renew: [] };
  return { prepare: supply, join: [], renew: [...restart, ...(again ? [join] : []), ...configure] };
}

function planLeaver({ node, member, facts, givenUp }: Leaver, spec: ClusterSpec, report: MembersReport, supplies: Supplies, authority: string | undefined): { prepare: Step[]; leave: Step[]; notes: string[] } {
  const inCluster = report.nodes.some((each) => each.name === node), there = { host: member.host };
  const drain: Step[] = inCluster ? [...(member.leaving === true ? [] : [{ ...there, kind: "record", changes: { [node]: { ...member, leaving: true } } } as const]), { ...there, kind: "drain", node, timeoutMs: spec.drainTimeoutMs }] : [];
  const remove = (forget: boolean): Step => ({ ...there, kind: "remove", node, forget });
  if (facts === undefined) return { prepare: [], leave: [...drain, ...(inCluster || givenUp ? [remove(givenUp)] : [])], notes: givenUp ? [`${member.host}: given up: what is on it stays there; should it come back, run "kaji reset" on it`] : [] };
  // Another machine at that address, or one that was made anew or belongs to others now, is none of ours.
  const stranger = facts.machineId !== member.machineId || (facts.authority !== undefined && facts.authority !== authority);
  if (stranger || !facts.traces) return { prepare: [], leave: [...drain, remove(true)], notes: stranger ? [`${member.host}: at ${member.reach.address} is another machine than the one that joined; it is left as it is`] : [] };
  const supply = facts.commit === undefined || !facts.library ? supplySteps(member.host, facts, supplies, false) : []; // An interrupted reset may have taken what it takes to finish it.
  return { prepare: supply, leave: [...drain, { host: member.host, kind: "reset" }, remove(true)], notes: [] };
}

/** Decides everything. The master must be among `situation.facts`. */
export function planCluster(spec: ClusterSpec, supplies: Supplies, situation: Situation): Plan {
  const { facts } = situation, master = spec.hosts.find((host) => host.role === "master")!, masterFacts = facts.get(master.name)!, report = masterFacts.cluster;
  const refusals = [...clashes(spec, facts, report), ...settingsProblems(spec, report)], plan = { prepare: [] as Step[], master: [] as Step[], join: [] as Step[], renew: [] as Step[], leave: [] as Step[] }, notes: string[] = [];
  const changes: Record<string, Member> = {}, masterPlan = masterFacts.architecture === undefined || supplies.programs[masterFacts.architecture] === undefined ? { prepare: [], steps: [], configure: [], names: [] } : planMaster(spec, master, masterFacts, supplies);
  for (const host of spec.hosts) {
    const own = facts.get(host.name);
    if (own === undefined) continue;
    const name = nodeNameOf(host, own);
    const steps = host.role === "master" ? { prepare: masterPlan.prepare, join: [], renew: [] } : own.architecture === undefined || supplies.programs[own.architecture] === undefined ? { prepare: [], join: [], renew: [] } : planWorker(host, own, supplies, report);
    const wrong = problemsOf(host, own, masterFacts.authority, mibOf(steps.prepare));
    refusals.push(...wrong);
    if (refusals.some((refusal) => refusal.host === host.name)) continue;
    plan.prepare.push(...steps.prepare);
    plan.join.push(...steps.join);
    plan.renew.push(...steps.renew);
    const member = memberOf(host, own, masterPlan.names);
    if (JSON.stringify(sorted(report?.members[name])) !== JSON.stringify(sorted(member))) changes[name] = member;
  }
  plan.master.push(...masterPlan.steps, ...(Object.keys(changes).length === 0 ? [] : [{ host: master.name, kind: "record", changes } as const]), ...masterPlan.configure);
  for (const leaver of situation.leavers) {
    const one = planLeaver(leaver, spec, report!, supplies, masterFacts.authority);
    plan.prepare.push(...one.prepare);
    plan.leave.push(...one.leave);
    notes.push(...one.notes);
  }
  const named = new Set([...spec.hosts.flatMap((host) => { const own = facts.get(host.name); return own === undefined ? [host.name] : [nodeNameOf(host, own)]; }), ...situation.leavers.map((leaver) => leaver.node)]);
  for (const node of report?.nodes ?? []) if (!named.has(node.name)) notes.push(`node ${node.name} is in the cluster and not named here; it stays${report!.members[node.name] === undefined ? "" : ": only a file takes hosts away"}`);
  return { refusals, ...plan, notes };
}

const sorted = (value: unknown): unknown => (typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined).map(([key, each]) => [key, sorted(each)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))) : value);
