/**
 * Pods that want to be near other pods or far from them, "near" meaning nodes with the same value of a label.
 * The anti-affinity of pods that run already is kept too, whatever the new pod says.
 * Counterpart: scheduler `interpodaffinity`. A pod whose required affinity only it itself satisfies is let in, else the first of a group never could be.
 */
import type { NodeInfo } from "../cache/node-info.ts";
import type { AffinityTerm, NamespaceLabels, PodInfo } from "../cache/pod-info.ts";
import { SCORE_MAX, reject, rejectForGood, type Cluster, type FilterCycle, type Plugin, type ScoreCycle } from "../framework/plugin.ts";

const NOT_NEAR = rejectForGood("node(s) didn't match pod affinity rules");
const TOO_NEAR = reject("node(s) didn't match pod anti-affinity rules");
const UNWELCOME = reject("node(s) didn't satisfy existing pods anti-affinity rules");
/** What a running pod's required affinity to the new pod adds to a node's score. */
const REQUIRED_AFFINITY_WEIGHT = 1;

/** Numbers by topology key and value. */
class Topology {
  readonly #values = new Map<string, Map<string, number>>();
  #size = 0;
  get isEmpty(): boolean { return this.#size === 0; }
  add(node: NodeInfo, key: string, amount: number): void {
    if (!Object.hasOwn(node.labels, key)) return;
    let values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, values = new Map());
    const value = node.labels[key]!, before = values.get(value) ?? 0, after = before + amount;
    if (before === 0 && after !== 0) this.#size++;
    if (before !== 0 && after === 0) this.#size--;
    if (after === 0) values.delete(value);
    else values.set(value, after);
  }
  at(node: NodeInfo, key: string): number { return Object.hasOwn(node.labels, key) ? this.#values.get(key)?.get(node.labels[key]!) ?? 0 : 0; }
  /** Sum over all keys the node has. */
  total(node: NodeInfo): number {
    let sum = 0;
    for (const [key, values] of this.#values) if (Object.hasOwn(node.labels, key)) sum += values.get(node.labels[key]!) ?? 0;
    return sum;
  }
  hasPositive(node: NodeInfo): boolean {
    for (const [key, values] of this.#values) if (Object.hasOwn(node.labels, key) && (values.get(node.labels[key]!) ?? 0) > 0) return true;
    return false;
  }
}

const matchesAll = (terms: readonly AffinityTerm[], pod: PodInfo, labels: NamespaceLabels): boolean => terms.length > 0 && terms.every((term) => term.matches(pod, labels));

function beginFilter(pod: PodInfo, { cache, namespaceLabels }: Cluster): FilterCycle {
  const near = pod.affinity.required, far = pod.antiAffinity.required;
  const nearBy = new Topology(), farFrom = new Topology(), unwelcome = new Topology();
  const account = (other: PodInfo, node: NodeInfo, sign: 1 | -1): void => {
    for (const term of other.antiAffinity.required) if (term.matches(pod, namespaceLabels)) unwelcome.add(node, term.topologyKey, sign);
    if (matchesAll(near, other, namespaceLabels)) for (const term of near) nearBy.add(node, term.topologyKey, sign);
    for (const term of far) if (term.matches(other, namespaceLabels)) farFrom.add(node, term.topologyKey, sign);
  };
  if (near.length + far.length > 0) for (const node of cache.nodes) for (const other of node.pods.values()) account(other, node, 1);
  else for (const node of cache.nodesWithAffinity) for (const other of node.podsWithAffinity.values()) account(other, node, 1);
  const isOwnCompany = matchesAll(near, pod, namespaceLabels);
  const nearEnough = (node: NodeInfo): boolean => {
    for (const { topologyKey } of near) if (!Object.hasOwn(node.labels, topologyKey)) return false;
    return near.every(({ topologyKey }) => nearBy.at(node, topologyKey) > 0) || (nearBy.isEmpty && isOwnCompany);
  };
  return {
    filter(node) {
      if (near.length > 0 && !nearEnough(node)) return NOT_NEAR;
      for (const { topologyKey } of far) if (farFrom.at(node, topologyKey) > 0) return TOO_NEAR;
      return unwelcome.hasPositive(node) ? UNWELCOME : undefined;
    },
    podAdded: (other, node) => account(other, node, 1),
    podRemoved: (other, node) => account(other, node, -1),
  };
}

function beginScore(pod: PodInfo, _nodes: readonly NodeInfo[], { cache, namespaceLabels }: Cluster): ScoreCycle | undefined {
  const near = pod.affinity.preferred, far = pod.antiAffinity.preferred, wishes = near.length + far.length > 0;
  if (!wishes && cache.nodesWithAffinity.size === 0) return undefined;
  const scores = new Topology();
  const add = (terms: readonly AffinityTerm[], about: PodInfo, node: NodeInfo, sign: 1 | -1, weight?: number): void => {
    for (const term of terms) if (term.matches(about, namespaceLabels)) scores.add(node, term.topologyKey, sign * (weight ?? term.weight));
  };
  const account = (other: PodInfo, node: NodeInfo): void => {
    add(near, other, node, 1);
    add(far, other, node, -1);
    add(other.affinity.required, pod, node, 1, REQUIRED_AFFINITY_WEIGHT);
    add(other.affinity.preferred, pod, node, 1);
    add(other.antiAffinity.preferred, pod, node, -1);
  };
  for (const node of wishes ? cache.nodes : cache.nodesWithAffinity) for (const other of (wishes ? node.pods : node.podsWithAffinity).values()) account(other, node);
  if (scores.isEmpty) return undefined;
  return { score: (node) => scores.total(node), normalize: stretch };
}

/** Spreads scores, which may be below zero, over 0..SCORE_MAX. */
function stretch(scores: number[]): void {
  let least = 0, most = 0;
  for (const score of scores) { if (score < least) least = score; if (score > most) most = score; }
  for (const [i, score] of scores.entries()) scores[i] = most === least ? 0 : Math.trunc((SCORE_MAX * (score - least)) / (most - least));
}

export const interPodAffinity: Plugin = {
  name: "InterPodAffinity",
  beginFilter,
  beginScore,
  mayHelp(event) {
    switch (event.kind) {
      case "node-added": case "namespace-changed": return true;
      case "node-updated": return event.aspects.has("labels") || event.aspects.has("taints");
      case "assigned-pod-added": case "assigned-pod-updated": case "assigned-pod-deleted": return true;
      case "node-deleted": case "volume-changed": case "anything": return false;
    }
  },
};
