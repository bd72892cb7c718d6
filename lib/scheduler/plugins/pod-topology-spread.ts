/**
 * Spreads the pods of one set over zones, hosts or whatever label the constraint names: a hard constraint (DoNotSchedule) limits the skew,
 * a soft one (ScheduleAnyway) lowers the score. Pods that say nothing get upstream's defaults, soft: zones with skew 3, hosts with 5,
 * over the pods their Services and controller select.
 * Counterpart: scheduler `podtopologyspread`; skew = matching pods in the domain + 1 if the pod matches itself - the fewest in any domain.
 */
import { hasRequiredNodeAffinity, matchesRequiredNodeAffinity } from "../../api/helpers/node-affinity.ts";
import { findUntoleratedTaint, forbidsScheduling } from "../../api/helpers/tolerations.ts";
import { matchesLabels, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import type { Node, TopologySpreadConstraint } from "../../api/schema/generated/models.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import { selectorWithOwnLabels, type PodInfo } from "../cache/pod-info.ts";
import { SCORE_MAX, reject, rejectForGood, type Cluster, type FilterCycle, type Plugin, type ScoreCycle } from "../framework/plugin.ts";

const HOSTNAME = "kubernetes.io/hostname";
const DEFAULTS = [{ topologyKey: "topology.kubernetes.io/zone", maxSkew: 3 }, { topologyKey: HOSTNAME, maxSkew: 5 }];
const SKEWED = reject("node(s) didn't match pod topology spread constraints");
const UNLABELLED = rejectForGood("node(s) didn't match pod topology spread constraints (missing required label)");

interface Constraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly selector: LabelMatcher;
  readonly minDomains: number;
  readonly honorsAffinity: boolean;
  readonly honorsTaints: boolean;
}

const ask = ({ labels }: PodInfo, c: TopologySpreadConstraint): Constraint => ({
  topologyKey: c.topologyKey, maxSkew: c.maxSkew, minDomains: c.minDomains ?? 1, selector: selectorWithOwnLabels(c.labelSelector, labels, c.matchLabelKeys),
  honorsAffinity: c.nodeAffinityPolicy !== "Ignore", honorsTaints: c.nodeTaintsPolicy === "Honor",
});

const hasAllLabels = (node: NodeInfo, constraints: readonly Constraint[]): boolean => constraints.every(({ topologyKey }) => Object.hasOwn(node.labels, topologyKey));

/** Whether pods on the node count for the constraint. */
function included(constraint: Constraint, pod: PodInfo, node: Node): boolean {
  if (constraint.honorsAffinity && hasRequiredNodeAffinity(pod.pod.spec) && !matchesRequiredNodeAffinity(pod.pod.spec, node)) return false;
  return !constraint.honorsTaints || findUntoleratedTaint(node.spec?.taints, pod.pod.spec?.tolerations, forbidsScheduling) === undefined;
}

function beginFilter(pod: PodInfo, { cache }: Cluster): FilterCycle | undefined {
  const constraints = (pod.pod.spec?.topologySpreadConstraints ?? []).filter((c) => c.whenUnsatisfiable === "DoNotSchedule").map((c) => ask(pod, c));
  if (constraints.length === 0) return undefined;
  const domains = constraints.map((constraint) => {
    const counts = new Map<string, number>(), byNode = cache.matchCounts.byNode(pod.namespace, constraint.selector);
    for (const info of cache.nodes) {
      if (!hasAllLabels(info, constraints) || !included(constraint, pod, info.node)) continue;
      const value = info.labels[constraint.topologyKey]!;
      counts.set(value, (counts.get(value) ?? 0) + (byNode.get(info.name) ?? 0));
    }
    return { constraint, counts, selfMatch: matchesLabels(constraint.selector, pod.labels) ? 1 : 0, fewest: undefined as number | undefined };
  });
  const fewestOf = (domain: (typeof domains)[number]): number => {
    if (domain.counts.size < domain.constraint.minDomains) return 0;
    return domain.fewest ??= Math.min(...domain.counts.values());
  };
  const account = (other: PodInfo, node: NodeInfo, sign: 1 | -1): void => {
    if (other.namespace !== pod.namespace || other.isTerminating || !hasAllLabels(node, constraints)) return;
    for (const domain of domains) {
      if (!matchesLabels(domain.constraint.selector, other.labels) || !included(domain.constraint, pod, node.node)) continue;
      const value = node.labels[domain.constraint.topologyKey]!;
      domain.counts.set(value, (domain.counts.get(value) ?? 0) + sign);
      domain.fewest = undefined;
    }
  };
  return {
    filter(node) {
      for (const domain of domains) {
        const { topologyKey, maxSkew } = domain.constraint;
        if (!Object.hasOwn(node.labels, topologyKey)) return UNLABELLED;
        if ((domain.counts.get(node.labels[topologyKey]!) ?? 0) + domain.selfMatch - fewestOf(domain) > maxSkew) return SKEWED;
      }
      return undefined;
    },
    podAdded: (other, node) => account(other, node, 1),
    podRemoved: (other, node) => account(other, node, -1),
  };
}

/** The soft constraints of the pod, or upstream's defaults. */
function softConstraints(pod: PodInfo, { selectorOfOwners }: Cluster): Constraint[] {
  const own = pod.pod.spec?.topologySpreadConstraints ?? [];
  if (own.length > 0) return own.filter((c) => c.whenUnsatisfiable === "ScheduleAnyway").map((c) => ask(pod, c));
  const selector = selectorOfOwners(pod);
  if (selector === undefined) return [];
  return DEFAULTS.map((c) => ({ ...c, selector, minDomains: 1, honorsAffinity: true, honorsTaints: false }));
}

function beginScore(pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster): ScoreCycle | undefined {
  const constraints = softConstraints(pod, cluster);
  if (constraints.length === 0) return undefined;
  const needsAllLabels = (pod.pod.spec?.topologySpreadConstraints ?? []).length > 0;
  const ignored = new Set<NodeInfo>(needsAllLabels ? nodes.filter((node) => !hasAllLabels(node, constraints)) : []);
  const terms = constraints.map((constraint) => {
    const { topologyKey, selector } = constraint, byNode = cluster.cache.matchCounts.byNode(pod.namespace, selector);
    if (topologyKey === HOSTNAME) return { constraint, weight: Math.log(nodes.length - ignored.size + 2), countOn: (node: NodeInfo) => byNode.get(node.name) ?? 0 };
    const counts = new Map<string, number>();
    for (const node of nodes) if (!ignored.has(node)) counts.set(node.labels[topologyKey] ?? "", 0);
    // Pods on nodes that cannot take this one count as well: the domain is as full.
    for (const [name, count] of byNode) {
      const info = cluster.cache.node(name), value = info?.labels[topologyKey] ?? "";
      if (info === undefined || !counts.has(value) || (needsAllLabels && !hasAllLabels(info, constraints)) || !included(constraint, pod, info.node)) continue;
      counts.set(value, counts.get(value)! + count);
    }
    return { constraint, weight: Math.log(counts.size + 2), countOn: (node: NodeInfo) => counts.get(node.labels[topologyKey]!) ?? 0 };
  });
  return {
    score(node) {
      if (ignored.has(node)) return 0;
      let score = 0;
      for (const { constraint, weight, countOn } of terms) if (Object.hasOwn(node.labels, constraint.topologyKey)) score += countOn(node) * weight + constraint.maxSkew - 1;
      return Math.round(score);
    },
    normalize(scores) { normalizeSpread(scores, nodes, ignored); },
  };
}

/** Fewer pods is better: the lowest count gets SCORE_MAX; nodes that lack a label get 0. */
function normalizeSpread(scores: number[], nodes: readonly NodeInfo[], ignored: ReadonlySet<NodeInfo>): void {
  let least = Infinity, most = 0;
  for (const [i, score] of scores.entries()) {
    if (ignored.has(nodes[i]!)) continue;
    if (score < least) least = score;
    if (score > most) most = score;
  }
  for (const [i, score] of scores.entries()) {
    if (ignored.has(nodes[i]!)) scores[i] = 0;
    else scores[i] = most === 0 ? SCORE_MAX : Math.trunc((SCORE_MAX * (most + least - score)) / most);
  }
}

export const podTopologySpread: Plugin = {
  name: "PodTopologySpread",
  beginFilter,
  beginScore,
  mayHelp(event, pod) {
    switch (event.kind) {
      case "node-added": case "node-deleted": return true;
      case "node-updated": return event.aspects.has("labels") || event.aspects.has("taints");
      case "assigned-pod-added": case "assigned-pod-updated": case "assigned-pod-deleted": return event.pod.namespace === pod.namespace;
      case "namespace-changed": case "volume-changed": case "anything": return false;
    }
  },
};
