/**
 * Whether a node still lives, and what its silence means. Pure.
 *
 * A node lives while its lease is renewed or its status is posted; when neither happened for the grace period (a new node has
 * longer), its conditions turn Unknown. Time is ours and monotonic, so a node's wrong clock does not matter.
 * Counterpart: kubernetes `pkg/controller/nodelifecycle` tryUpdateNodeHealth.
 */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import type { Lease, Node, NodeCondition, Taint } from "../../api/schema/generated/models.ts";

/** What we remember of a node. */
export interface NodeHealth {
  /** When we last saw a sign of life. */
  probedAtMs: number;
  heartbeat: string | undefined;
  readyTransition: string | undefined;
  leaseRenewal: string | undefined;
}

export const readyCondition = (node: Node): NodeCondition | undefined => node.status?.conditions?.find((c) => c.type === "Ready");

/** The memory after a look at the node and its lease; a first look counts as a sign of life. */
export function observe(before: NodeHealth | undefined, node: Node, lease: Lease | undefined, nowMs: number): NodeHealth {
  const ready = readyCondition(node);
  const now = { heartbeat: ready?.lastHeartbeatTime, readyTransition: ready?.lastTransitionTime, leaseRenewal: lease?.spec.renewTime };
  if (before === undefined) return { ...now, probedAtMs: nowMs };
  const statusPosted = now.heartbeat !== before.heartbeat, leaseRenewed = now.leaseRenewal !== undefined && now.leaseRenewal !== before.leaseRenewal;
  return { ...now, probedAtMs: statusPosted || leaseRenewed ? nowMs : before.probedAtMs };
}

const WATCHED_CONDITIONS = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] as const;

/** The node's conditions once it is silent; undefined when they say so already. */
export function silentConditions(node: Node, now: Date): NodeCondition[] | undefined {
  const before = node.status?.conditions ?? [], at = toTimestamp(now);
  let changed = false;
  const after = before.map((condition) => {
    if (!(WATCHED_CONDITIONS as readonly string[]).includes(condition.type) || condition.status === "Unknown") return condition;
    changed = true;
    return { ...condition, status: "Unknown", reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status.", lastTransitionTime: at };
  });
  for (const type of WATCHED_CONDITIONS) {
    if (before.some((c) => c.type === type)) continue;
    changed = true;
    after.push({ type, status: "Unknown", reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status.", lastHeartbeatTime: node.metadata.creationTimestamp, lastTransitionTime: at });
  }
  return changed ? after : undefined;
}

/** Condition, its status, and the taint that keeps new pods away meanwhile. */
const CONDITION_TAINTS: readonly (readonly [type: string, status: string, key: string])[] = [
  ["Ready", "False", "node.kubernetes.io/not-ready"], ["Ready", "Unknown", "node.kubernetes.io/unreachable"],
  ["MemoryPressure", "True", "node.kubernetes.io/memory-pressure"], ["DiskPressure", "True", "node.kubernetes.io/disk-pressure"],
  ["NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"], ["PIDPressure", "True", "node.kubernetes.io/pid-pressure"],
];
const UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable";

/** NoSchedule taints the node's conditions call for, and those of ours it should not have. */
export function planNoSchedule(node: Node): { add: Pick<Taint, "key" | "effect">[]; remove: Pick<Taint, "key" | "effect">[] } {
  const wanted = new Set(CONDITION_TAINTS.filter(([type, status]) => node.status?.conditions?.some((c) => c.type === type && c.status === status)).map(([, , key]) => key));
  if (node.spec.unschedulable === true) wanted.add(UNSCHEDULABLE_TAINT);
  const ours = new Set([...CONDITION_TAINTS.map(([, , key]) => key), UNSCHEDULABLE_TAINT]);
  return {
    add: [...wanted].map((key) => ({ key, effect: "NoSchedule" })),
    remove: [...ours].filter((key) => !wanted.has(key)).map((key) => ({ key, effect: "NoSchedule" })),
  };
}
