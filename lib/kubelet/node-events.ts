/**
 * What a change of the node's status is told as. Pure.
 * Counterpart: the setters of `pkg/kubelet/nodestatus`, and `recordNodeStatusEvent` in `pkg/kubelet/kubelet_node_status.go`.
 */
import type { NodeStatus } from "../api/schema/generated/models.ts";

export interface NodeEvent { readonly type: "Normal" | "Warning"; readonly reason: string; readonly message: string }

/** Reasons for a pressure that is there, and for one that is not. */
const PRESSURES: readonly (readonly [condition: string, present: string, absent: string])[] = [
  ["MemoryPressure", "NodeHasInsufficientMemory", "NodeHasSufficientMemory"],
  ["DiskPressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure"],
  ["PIDPressure", "NodeHasInsufficientPID", "NodeHasSufficientPID"],
];

const statusOf = (status: NodeStatus | undefined, type: string): string | undefined => status?.conditions?.find((condition) => condition.type === type)?.status;

/** Events between what was reported and what is. Of a node nothing was reported of yet, pressures are told of either way, readiness only where it is there. */
export function nodeEvents(name: string, old: NodeStatus | undefined, fresh: NodeStatus): NodeEvent[] {
  const events: NodeEvent[] = [], is = (reason: string): void => { events.push({ type: "Normal", reason, message: `Node ${name} status is now: ${reason}` }); };
  const oldBoot = old?.nodeInfo?.bootID ?? "", boot = fresh.nodeInfo?.bootID ?? "";
  if (oldBoot !== "" && oldBoot !== boot) events.push({ type: "Warning", reason: "Rebooted", message: `Node ${name} has been rebooted, boot id: ${boot}` });
  for (const [condition, present, absent] of PRESSURES) {
    const now = statusOf(fresh, condition);
    if (now !== statusOf(old, condition)) is(now === "True" ? present : absent);
  }
  const wasReady = statusOf(old, "Ready"), ready = statusOf(fresh, "Ready");
  if (wasReady !== ready && (wasReady !== undefined || ready === "True")) is(ready === "True" ? "NodeReady" : "NodeNotReady");
  return events;
}
