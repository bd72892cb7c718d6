/**
 * `kaji delete`: takes the cluster away from all its hosts, workers first, and its context out of the kubeconfig here.
 * Hosts that were added earlier and stand in no file any more go too. Counterpart: k0sctl reset.
 */
import { createBoard } from "./board.ts";
import type { ClusterSpec } from "./cluster-file.ts";
import { ApplyError, type ApplyDeps, type KubeconfigWish, masterOf, stopped } from "./apply.ts";
import { failureLine, type Failure, Fleet } from "./fleet.ts";
import { findSupplies, gather } from "./gather.ts";
import type { HostFacts } from "./host-facts.ts";
import { fetchAdmin, forgetKubeconfig } from "./operator-kubeconfig.ts";
import { supplySteps, type Situation, type Step, type Supplies } from "./plan.ts";
import { runPlan } from "./run-plan.ts";

/** Which hosts are reset, and which are left because nothing of this cluster is there: pure. */
export function planDelete(spec: ClusterSpec, { facts, leavers }: Situation, supplies: Supplies): { prepare: Step[]; workers: Step[]; master: Step[]; refusals: Failure[] } {
  const plan = { prepare: [] as Step[], workers: [] as Step[], master: [] as Step[], refusals: [] as Failure[] }, authority = facts.get(masterOf(spec))?.authority;
  const add = (host: string, own: HostFacts, target: Step[]): void => {
    if (own.up || !own.traces) return; // A cluster of `kaji up` is another thing.
    if (own.authority !== undefined && authority !== undefined && own.authority !== authority) { plan.refusals.push({ host, doing: "", message: 'it belongs to another cluster: run "kaji reset" there if it is to be taken away' }); return; }
    if (own.commit === undefined || !own.library) plan.prepare.push(...supplySteps(host, own, supplies, false)); // An interrupted reset may have taken what it takes to finish it.
    target.push({ host, kind: "reset" });
  };
  for (const host of spec.hosts) { const own = facts.get(host.name); if (own !== undefined) add(host.name, own, host.role === "master" ? plan.master : plan.workers); }
  for (const { member, facts: own } of leavers) if (own !== undefined && own.machineId === member.machineId) add(member.host, own, plan.workers);
  return plan;
}

export interface Deleted { readonly hosts: readonly string[]; readonly context: boolean }

/** Throws ApplyError with every host's failure; the master is kept while a worker could not be reset, so that the list of hosts is not lost. Hosts in `forget` may be away. */
export async function deleteCluster(spec: ClusterSpec, options: { forget: readonly string[]; kubeconfig: KubeconfigWish; confirm: (hosts: readonly string[]) => Promise<boolean> }, deps: ApplyDeps, signal: AbortSignal): Promise<Deleted> {
  const fleet = new Fleet(deps), board = createBoard(deps.output, spec.hosts.map((host) => host.name), deps.clock), master = masterOf(spec);
  try {
    const looked = await gather({ ...spec, complete: true }, options.forget, { ...deps, fleet, board }, signal), { situation } = looked, failures = looked.failures.filter((failure) => !options.forget.includes(failure.host));
    signal.throwIfAborted();
    const supplies = await findSupplies(spec, situation, deps);
    const { prepare, workers, master: last, refusals } = planDelete(spec, situation, supplies), hosts = [...new Set([...workers, ...last].map((step) => step.host))];
    if (hosts.length > 0 && !(await options.confirm(hosts))) throw new ApplyError("Not confirmed; nothing was changed");
    const admin = situation.facts.has(master) ? await fetchAdmin(fleet.get(master)!, signal) : undefined, none = { master: [], join: [], renew: [], leave: [], refusals: [], notes: [] };
    const run = (first: readonly Step[], steps: readonly Step[]) => runPlan({ ...none, prepare: [...first, ...steps] }, { fleet, board, clock: deps.clock, master, supplies, situation }, signal);
    const away = await run(prepare.filter((step) => step.host !== master), workers), all: Failure[] = [...failures, ...refusals, ...away.failures];
    const end = all.length > 0 ? undefined : await run(prepare.filter((step) => step.host === master), last);
    all.push(...(end?.failures ?? []));
    signal.throwIfAborted();
    if (all.length > 0) throw new ApplyError(`Cannot take everything away; put this right and run the same command again:\n${all.map(failureLine).join("\n")}${end === undefined && last.length > 0 ? "\nThe master is kept until the others are done" : ""}`);
    const context = await forgetKubeconfig(options.kubeconfig.user, options.kubeconfig.file, spec.name, admin?.clusters[0]?.cluster["certificate-authority-data"]);
    return { hosts, context };
  } catch (error) {
    stopped(signal);
    throw error;
  } finally { board.close(); fleet.close(); }
}
