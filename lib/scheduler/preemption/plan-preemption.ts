/**
 * Whether less important pods should make room, where, and which; or the words that say why that would not help. Pure.
 * Counterpart: scheduler `preemption` Evaluator and `defaultpreemption`.
 */
import type { PodDisruptionBudget } from "../../api/schema/generated/models.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import type { PodInfo } from "../cache/pod-info.ts";
import { fitErrorMessage, type Diagnosis } from "../framework/fit-error.ts";
import { rejectForGood, type Rejection } from "../framework/plugin.ts";
import type { Filters, ScheduleDeps } from "../framework/schedule-pod.ts";
import { selectVictims, startedMs, type Victims } from "./select-victims.ts";

export type PreemptionPlan =
  | { readonly kind: "preempt"; readonly victims: Victims; /** Pods whose promise of the node lapses. */ readonly displaced: readonly PodInfo[] }
  /** `keepNomination`: room is being made already. */
  | { readonly kind: "none"; readonly message: string; readonly keepNomination: boolean };

const CANDIDATES_MIN = 100;
const CANDIDATES_PERCENT = 10;
const UNHELPFUL = rejectForGood("Preemption is not helpful for scheduling");
// Upstream's DynamicResources speaks first, of every pod; it has no claims to free for pods that have none.
const PREFIX = "no new claims to deallocate, preemption: ";
const none = (message: string, keepNomination: boolean): PreemptionPlan => ({ kind: "none", message: `${PREFIX}${message}`, keepNomination });

/** Decides for a pod that fitted nowhere. */
export function planPreemption(pod: PodInfo, diagnosis: Diagnosis, filters: Filters, deps: ScheduleDeps, budgets: readonly PodDisruptionBudget[]): PreemptionPlan {
  const refusal = ineligible(pod, diagnosis, deps);
  if (refusal !== undefined) return none(refusal, true);
  const nodes = diagnosis.podRejection === undefined
    ? deps.cluster.cache.nodes.filter(({ name }) => diagnosis.rejections.get(name)?.isUnresolvable === false)
    : []; // No node's pods are in the way.
  const wanted = Math.min(nodes.length, Math.max(CANDIDATES_MIN, Math.trunc((nodes.length * CANDIDATES_PERCENT) / 100)));
  const candidates: Victims[] = [], rejections = new Map<string, Rejection>(), offset = Math.floor(deps.random() * nodes.length);
  for (let i = 0; i < nodes.length && candidates.length < wanted; i++) {
    const node = nodes[(offset + i) % nodes.length]!, found = selectVictims(pod, node, filters, deps.nominations, budgets);
    if ("reasons" in found) rejections.set(node.name, found);
    else candidates.push(found);
  }
  if (candidates.length === 0) return none(fitErrorMessage({ nodesTotal: diagnosis.nodesTotal, rejections, absent: UNHELPFUL, plugins: new Set() }), false);
  const victims = pickVictims(candidates);
  return { kind: "preempt", victims, displaced: deps.nominations.lessImportant(victims.node.name, pod) };
}

/** Why the pod may not push others aside now. */
function ineligible(pod: PodInfo, diagnosis: Diagnosis, { cluster, nominations }: ScheduleDeps): string | undefined {
  if (pod.pod.spec?.preemptionPolicy === "Never") return "not eligible due to preemptionPolicy=Never.";
  const name = nominations.nodeOf(pod.uid) ?? pod.pod.status?.nominatedNodeName ?? "", node: NodeInfo | undefined = cluster.cache.node(name);
  if (node === undefined || diagnosis.rejections.get(name)?.isUnresolvable === true) return undefined;
  const isMakingRoom = [...node.pods.values()].some((other) => other.priority < pod.priority && other.isTerminating && wasPreempted(other));
  return isMakingRoom ? "not eligible due to a terminating pod on the nominated node." : undefined;
}

const wasPreempted = ({ pod }: PodInfo): boolean => pod.status?.conditions?.some((c) => c.type === "DisruptionTarget" && c.status === "True" && c.reason === "PreemptionByScheduler") === true;

/** The least harm: budgets kept, then the least important chief victim, the least importance in sum, the fewest, the latest started. */
function pickVictims(candidates: readonly Victims[]): Victims {
  const harms: ((victims: Victims) => number)[] = [
    ({ budgetViolations }) => budgetViolations,
    ({ pods }) => pods[0]?.priority ?? -Infinity,
    ({ pods }) => pods.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
    ({ pods }) => pods.length,
    ({ pods }) => -Math.min(...pods.filter(({ priority }) => priority === pods[0]!.priority).map(startedMs)),
  ];
  let left = candidates;
  for (const harm of harms) {
    const least = Math.min(...left.map(harm));
    left = left.filter((victims) => harm(victims) === least);
  }
  return left[0]!;
}
