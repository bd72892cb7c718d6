/**
 * `kaji plan` and `kaji apply`: looks at the hosts, decides, and does it.
 *
 * Promises: what cannot become a cluster is told before anything is changed; interrupted anywhere and run again, it finishes; every host's failure is in
 * one message with what was found and the next step. Counterpart: k0sctl apply. Differs: decided from what hosts are, not from a state file.
 */
import { createBoard, type BoardOutput } from "./board.ts";
import type { ClusterSpec } from "./cluster-file.ts";
import { type Failure, failureLine, Fleet, targetOf } from "./fleet.ts";
import { findSupplies, gather, type GatherDeps } from "./gather.ts";
import { allSteps, ON_MASTER, type Plan, planCluster, type Situation, type Supplies } from "./plan.ts";
import type { Refusal } from "./refusals.ts";
import { adaptKubeconfig, fetchAdmin, saveKubeconfig, serverCandidates } from "./operator-kubeconfig.ts";
import { type Connect, describeTarget } from "./remote-host.ts";
import { type Outcome, runPlan } from "./run-plan.ts";
import { stepPlan } from "./step-text.ts";
import type { Kubeconfig } from "../../client/kubeconfig.ts";
import type { User } from "../user.ts";
import type { Clock } from "../../util/clock.ts";

export interface ApplyDeps extends Omit<GatherDeps, "fleet" | "board"> {
  readonly connect: Connect; readonly usualIdentities: readonly string[]; readonly output: BoardOutput; readonly clock: Clock;
  /** The first of these addresses that answers as the cluster's API server. */
  readonly reachableServer: (admin: Kubeconfig, candidates: readonly string[], signal: AbortSignal) => Promise<string | undefined>;
}
export class ApplyError extends Error { override readonly name = "ApplyError"; }
/** Throws when the operator said stop. */
export function stopped(signal: AbortSignal): void { if (signal.aborted) throw new ApplyError("Interrupted: run the same command again, it goes on where this one stopped"); }

export interface Looked { readonly plan: Plan; readonly situation: Situation; readonly supplies: Supplies; readonly failures: readonly Failure[] }
const refusalLine = ({ host, found, nextStep }: Refusal): string => `  - ${host === undefined ? "" : `${host}: `}${found}: ${nextStep}`;
export const masterOf = (spec: ClusterSpec): string => spec.hosts.find((host) => host.role === "master")!.name;

/** Looks and decides. Throws ApplyError when nothing can be done: the master is away or unfit, or hosts do not fit together. */
export async function lookAndPlan(spec: ClusterSpec, forget: readonly string[], deps: GatherDeps, signal: AbortSignal): Promise<Looked> {
  const { situation, failures } = await gather(spec, forget, deps, signal), master = masterOf(spec);
  signal.throwIfAborted();
  if (!situation.facts.has(master)) throw new ApplyError(`Cannot go on without the master; nothing was changed:\n${failures.map(failureLine).join("\n")}`);
  const supplies = await findSupplies(spec, situation, deps), plan = planCluster(spec, supplies, situation);
  const fatal = plan.refusals.filter((refusal) => refusal.host === undefined || refusal.host === master);
  if (fatal.length > 0) throw new ApplyError(`Cannot make these hosts a cluster; nothing was changed:\n${[...plan.refusals.map(refusalLine), ...failures.map(failureLine)].join("\n")}`);
  return { plan, situation, supplies, failures: [...failures, ...plan.refusals.map((refusal): Failure => ({ host: refusal.host!, doing: "", message: `${refusal.found}: ${refusal.nextStep}` }))] };
}

/** What will be done, host by host: pure. */
export function renderPlan(spec: ClusterSpec, { plan, situation, failures }: Pick<Looked, "plan" | "situation" | "failures">): string {
  const steps = allSteps(plan), names = [...new Set([...spec.hosts.map((host) => host.name), ...situation.leavers.map((leaver) => leaver.member.host)])];
  const blocks = names.map((name) => {
    const host = spec.hosts.find((each) => each.name === name), own = steps.filter((step) => step.host === name), failed = failures.filter((failure) => failure.host === name);
    const head = `${host === undefined ? `${name} (leaves)` : `${describeTarget(targetOf(name, host.reach, []))}, ${host.role}`}`;
    const rows = [...own.map((step) => `  ${step.kind === "reset" || step.kind === "remove" || step.kind === "drain" ? "-" : "+"} ${stepPlan(step)}${ON_MASTER.includes(step.kind) && step.host !== masterOf(spec) ? " (on the master)" : ""}`), ...failed.map((failure) => `  ! ${failure.message.replaceAll("\n", "\n    ")}`)];
    return `${head}\n${rows.length === 0 ? "  nothing to do" : rows.join("\n")}`;
  });
  return `${[...blocks, ...plan.notes.map((note) => `note: ${note}`)].join("\n")}\n`;
}

/** Shows what `apply` would do. Returns the text and whether every host could be looked at. */
export async function planOnly(spec: ClusterSpec, forget: readonly string[], deps: ApplyDeps, signal: AbortSignal): Promise<{ text: string; steps: number; failures: readonly Failure[] }> {
  const fleet = new Fleet(deps), board = createBoard(deps.output, spec.hosts.map((host) => host.name), deps.clock);
  try {
    const looked = await lookAndPlan(spec, forget, { ...deps, fleet, board }, signal);
    return { text: renderPlan(spec, looked), steps: allSteps(looked.plan).length, failures: looked.failures };
  } catch (error) {
    stopped(signal);
    throw error;
  } finally { board.close(); fleet.close(); }
}

export interface KubeconfigWish { readonly user: User; readonly file: string }
export interface Applied { readonly steps: number; /** The kubeconfig's server; undefined: none could be reached from here. */ readonly server: string | undefined; readonly triedServers: readonly string[] }

/** Brings the hosts to what `spec` says and the kubeconfig here. Throws ApplyError with every host's failure. */
export async function apply(spec: ClusterSpec, options: { forget: readonly string[]; kubeconfig: KubeconfigWish; confirm: (leaving: readonly string[]) => Promise<boolean> }, deps: ApplyDeps, signal: AbortSignal): Promise<Applied> {
  const fleet = new Fleet(deps), board = createBoard(deps.output, spec.hosts.map((host) => host.name), deps.clock), master = masterOf(spec);
  try {
    const looked = await lookAndPlan(spec, options.forget, { ...deps, fleet, board }, signal), { plan, situation, supplies } = looked, steps = allSteps(plan).length;
    for (const note of plan.notes) board.note(`note: ${note}`);
    const leaving = situation.leavers.map((leaver) => leaver.member.host);
    if (leaving.length > 0 && !(await options.confirm(leaving))) throw new ApplyError(`Not confirmed that ${leaving.join(", ")} leave; nothing was changed`);
    const { failures, undone } = await runPlan(plan, { fleet, board, clock: deps.clock, master, supplies, situation }, signal), all = [...looked.failures, ...failures];
    signal.throwIfAborted();
    if (failures.some((failure) => failure.host === master)) throw failed(all, undone);
    const { server, tried } = await bringKubeconfig(spec, options.kubeconfig, { ...deps, fleet, board, signal });
    if (all.length > 0) throw failed(all, undone);
    return { steps, server, triedServers: tried };
  } catch (error) {
    stopped(signal);
    throw error;
  } finally { board.close(); fleet.close(); }
}

function failed(failures: readonly Failure[], undone: Outcome["undone"]): ApplyError {
  const hosts = new Set(failures.map((failure) => failure.host)), waiting = undone.filter((host) => !hosts.has(host));
  return new ApplyError(`Cannot finish ${hosts.size === 1 ? "1 host" : `${hosts.size} hosts`}; put this right and run the same command again:\n${failures.map(failureLine).join("\n")}${waiting.length === 0 ? "" : `\nNot begun because of that: ${waiting.join(", ")}`}`);
}

async function bringKubeconfig(spec: ClusterSpec, wish: KubeconfigWish, { fleet, board, signal, reachableServer }: { fleet: Fleet; board: ReturnType<typeof createBoard>; signal: AbortSignal } & Pick<ApplyDeps, "reachableServer">): Promise<{ server: string | undefined; tried: string[] }> {
  const name = masterOf(spec), host = spec.hosts.find((each) => each.name === name)!, admin = await fetchAdmin(fleet.get(name)!, signal);
  if (admin === undefined) throw new ApplyError(`Cannot bring the kubeconfig here: host "${name}" has no /etc/kaji/admin.conf: run the same command again`);
  board.begin(name, "kubeconfig");
  const tried = serverCandidates(admin.clusters[0]!.cluster.server, [host.reach.address, ...spec.cluster.apiServerNames]), server = await reachableServer(admin, tried, signal);
  const changed = await saveKubeconfig(wish.user, wish.file, adaptKubeconfig(admin, spec.name, server ?? tried[0]!));
  board.end(name, changed ? wish.file : "as it was");
  return { server, tried };
}
