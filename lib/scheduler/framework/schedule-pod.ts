/**
 * The decision: which node a pod goes to, or why none. Synchronous and without effects but on the search's starting point.
 *
 * Filters run node by node, starting where the last pod's search ended, until enough nodes are found (all of them below 100, then a share
 * that shrinks with the cluster's size, as upstream); those are scored; the best wins, one of equals at random.
 * Counterpart: scheduler `schedule_one.go`.
 */
import { assert } from "../../util/assert.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import type { PodInfo } from "../cache/pod-info.ts";
import type { Diagnosis } from "./fit-error.ts";
import type { Nominations } from "./nominations.ts";
import { isRejection, rejectForGood, type Cluster, type FilterCycle, type Rejection } from "./plugin.ts";
import type { Profile } from "./profile.ts";

export type Decision =
  | { readonly kind: "fits"; readonly node: NodeInfo; readonly evaluated: number; readonly feasible: number }
  | { readonly kind: "unfit"; readonly diagnosis: Diagnosis; readonly filters: Filters }
  | { readonly kind: "no-nodes" };

/** One plugin's filter in this cycle, with its name for the diagnosis. */
export type Filters = readonly { readonly plugin: string; readonly cycle: FilterCycle }[];

export interface ScheduleDeps {
  readonly cluster: Cluster;
  readonly profile: Profile;
  readonly nominations: Nominations;
  /** In [0, 1): breaks ties. */
  readonly random: () => number;
  /** Where the search starts; kept from pod to pod. */
  readonly search: { start: number };
}

const FEASIBLE_NODES_MIN = 100;
const FEASIBLE_PERCENT_MIN = 5;

/** How many nodes that fit are enough. */
export function feasibleNodesWanted(nodes: number): number {
  if (nodes < FEASIBLE_NODES_MIN) return nodes;
  const percent = Math.max(FEASIBLE_PERCENT_MIN, 50 - Math.trunc(nodes / 125));
  return Math.max(FEASIBLE_NODES_MIN, Math.trunc((nodes * percent) / 100));
}

/** Decides about one pod. */
export function schedulePod(pod: PodInfo, deps: ScheduleDeps): Decision {
  const { cluster, profile, nominations } = deps, all = cluster.cache.nodes;
  if (all.length === 0) return { kind: "no-nodes" };
  const begun = beginFilters(pod, deps);
  if ("podRejection" in begun) return { kind: "unfit", diagnosis: { nodesTotal: all.length, rejections: new Map(), podRejection: begun.podRejection, plugins: new Set([begun.plugin]) }, filters: [] };
  const { filters, only, absent } = begun;

  const nominated = pod.pod.status?.nominatedNodeName, first = nominated === undefined ? undefined : cluster.cache.node(nominated);
  if (first !== undefined && filterNode(pod, first, filters, nominations) === undefined) return { kind: "fits", node: first, evaluated: 1, feasible: 1 };

  const nodes = only === undefined ? all : all.filter(({ name }) => only.has(name));
  const { feasible, rejections, plugins, evaluated } = findFeasible(pod, nodes, filters, deps);
  for (const name of absent?.plugins ?? []) plugins.add(name);
  if (feasible.length === 0) return { kind: "unfit", diagnosis: { nodesTotal: all.length, rejections, plugins, ...(absent === undefined ? {} : { absent: absent.rejection }) }, filters };
  const node = feasible.length === 1 ? feasible[0]! : pickBest(feasible, scoreNodes(pod, feasible, cluster, profile), deps.random);
  return { kind: "fits", node, evaluated, feasible: feasible.length };
}

/** Runs the filters on one node: undefined when the pod fits, also beside pods that have been promised a place there. */
export function filterNode(pod: PodInfo, node: NodeInfo, filters: Filters, nominations: Nominations): { rejection: Rejection; plugin: string } | undefined {
  const promised = nominations.atLeastAsImportant(node.name, pod);
  if (promised.length === 0) return runFilters(node, filters);
  for (const other of promised) place(other, node, filters);
  let result: ReturnType<typeof runFilters>;
  try { result = runFilters(node, filters); }
  finally { for (const other of promised) unplace(other, node, filters); }
  return result ?? runFilters(node, filters); // Without them too: they may never come, and the pod may need no company of theirs.
}

/** Puts a pod on a node for the sake of argument, and takes it away again. */
export function place(pod: PodInfo, node: NodeInfo, filters: Filters): void {
  node.add(pod);
  for (const { cycle } of filters) cycle.podAdded?.(pod, node);
}
export function unplace(pod: PodInfo, node: NodeInfo, filters: Filters): void {
  node.remove(pod);
  for (const { cycle } of filters) cycle.podRemoved?.(pod, node);
}

function runFilters(node: NodeInfo, filters: Filters): { rejection: Rejection; plugin: string } | undefined {
  for (const { plugin, cycle } of filters) {
    const rejection = cycle.filter(node);
    if (rejection !== undefined) return { rejection, plugin };
  }
  return undefined;
}

interface Begun { filters: Filters; only: ReadonlySet<string> | undefined; absent: { rejection: Rejection; plugins: string[] } | undefined }

function beginFilters(pod: PodInfo, { cluster, profile }: ScheduleDeps): Begun | { podRejection: Rejection; plugin: string } {
  const filters: { plugin: string; cycle: FilterCycle }[] = [], limiting: string[] = [];
  let only: Set<string> | undefined;
  for (const [plugin] of profile.plugins) {
    const cycle = plugin.beginFilter?.(pod, cluster);
    if (cycle === undefined) continue;
    if (isRejection(cycle)) return { podRejection: cycle, plugin: plugin.name };
    filters.push({ plugin: plugin.name, cycle });
    if (cycle.only === undefined) continue;
    limiting.push(plugin.name);
    only = only === undefined ? new Set(cycle.only) : only.intersection(cycle.only);
  }
  const absent = only === undefined ? undefined : { rejection: rejectForGood(`node(s) didn't satisfy plugin(s) [${limiting.sort().join(" ")}]`), plugins: limiting };
  return { filters, only, absent };
}

function findFeasible(pod: PodInfo, nodes: readonly NodeInfo[], filters: Filters, { search, nominations }: ScheduleDeps):
  { feasible: NodeInfo[]; rejections: Map<string, Rejection>; plugins: Set<string>; evaluated: number } {
  const wanted = feasibleNodesWanted(nodes.length), feasible: NodeInfo[] = [], rejections = new Map<string, Rejection>(), plugins = new Set<string>();
  let evaluated = 0;
  for (; evaluated < nodes.length && feasible.length < wanted; evaluated++) {
    const node = nodes[(search.start + evaluated) % nodes.length]!;
    const rejected = filterNode(pod, node, filters, nominations);
    if (rejected === undefined) feasible.push(node);
    else {
      rejections.set(node.name, rejected.rejection);
      plugins.add(rejected.plugin);
    }
  }
  if (nodes.length > 0) search.start = (search.start + evaluated) % nodes.length;
  return { feasible, rejections, plugins, evaluated };
}

/** Weighted sums of the plugins' scores, in the order of `nodes`. */
export function scoreNodes(pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster, profile: Profile): number[] {
  const totals = nodes.map(() => 0);
  for (const [plugin, weight] of profile.plugins) {
    if (weight === 0) continue;
    const cycle = plugin.beginScore?.(pod, nodes, cluster);
    if (cycle === undefined) continue;
    const scores = nodes.map((node) => cycle.score(node));
    cycle.normalize?.(scores, nodes);
    for (let i = 0; i < scores.length; i++) totals[i]! += scores[i]! * weight;
  }
  return totals;
}

function pickBest(nodes: readonly NodeInfo[], scores: readonly number[], random: () => number): NodeInfo {
  let best = -1, equals = 0;
  for (let i = 0; i < scores.length; i++) {
    if (best < 0 || scores[i]! > scores[best]!) { best = i; equals = 1; }
    else if (scores[i] === scores[best] && random() * ++equals < 1) best = i; // Each of n equals is kept with 1/n.
  }
  assert(best >= 0, "no node to pick from");
  return nodes[best]!;
}
