/**
 * The least that must leave a node so that a pod fits there: all less important pods go for the sake of argument, then come back one by
 * one, the most important first, those that a disruption budget protects before the others, as long as the pod still fits.
 * Counterpart: scheduler `defaultpreemption` SelectVictimsOnNode.
 */
import { isEmptySelector, matchesLabels } from "../../api/helpers/label-selector.ts";
import type { PodDisruptionBudget } from "../../api/schema/generated/models.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import { selectorWithOwnLabels, type PodInfo } from "../cache/pod-info.ts";
import type { Nominations } from "../framework/nominations.ts";
import { rejectForGood, type Rejection } from "../framework/plugin.ts";
import { filterNode, place, unplace, type Filters } from "../framework/schedule-pod.ts";

export interface Victims {
  readonly node: NodeInfo;
  /** The most important first. */
  readonly pods: readonly PodInfo[];
  /** How many of them a disruption budget would have kept. */
  readonly budgetViolations: number;
}

const NO_VICTIMS = rejectForGood("No preemption victims found for incoming pod");

/** When a pod started; one that has not is the youngest. */
export const startedMs = ({ pod }: PodInfo): number => (pod.status?.startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(pod.status.startTime));

/** Higher priority first, then the longer running. */
export const byImportance = (a: PodInfo, b: PodInfo): number => b.priority - a.priority || startedMs(a) - startedMs(b);

/** Leaves the node as it found it. */
export function selectVictims(pod: PodInfo, node: NodeInfo, filters: Filters, nominations: Nominations, budgets: readonly PodDisruptionBudget[]): Victims | Rejection {
  const candidates = [...node.pods.values()].filter((other) => other.priority < pod.priority).sort(byImportance);
  if (candidates.length === 0) return NO_VICTIMS;
  for (const other of candidates) unplace(other, node, filters);
  const away = new Set(candidates);
  try {
    const rejected = filterNode(pod, node, filters, nominations);
    if (rejected !== undefined) return rejected.rejection;
    const { violating, others } = splitByBudget(candidates, budgets);
    const victims: PodInfo[] = [];
    const reprieve = (other: PodInfo): boolean => {
      place(other, node, filters);
      if (filterNode(pod, node, filters, nominations) === undefined) { away.delete(other); return true; }
      unplace(other, node, filters);
      victims.push(other);
      return false;
    };
    const budgetViolations = violating.filter((other) => !reprieve(other)).length;
    for (const other of others) reprieve(other);
    return { node, pods: victims.sort(byImportance), budgetViolations };
  } finally { for (const other of away) place(other, node, filters); }
}

/** Pods whose eviction would exceed a disruption budget, given that those before them go too. */
function splitByBudget(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets.map((budget) => ({ budget, allowed: budget.status?.disruptionsAllowed ?? 0, selector: selectorWithOwnLabels(budget.spec?.selector, {}) }));
  const violating: PodInfo[] = [], others: PodInfo[] = [];
  for (const pod of pods) {
    let isViolating = false;
    for (const entry of left) {
      if (entry.budget.metadata.namespace !== pod.namespace || isEmptySelector(entry.selector) || !matchesLabels(entry.selector, pod.labels)) continue;
      if (Object.hasOwn(entry.budget.status?.disruptedPods ?? {}, pod.name)) continue; // Counted already.
      if (--entry.allowed < 0) isViolating = true;
    }
    (isViolating ? violating : others).push(pod);
  }
  return { violating, others };
}
