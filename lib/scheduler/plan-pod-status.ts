/** What the scheduler writes into a pod's status: the PodScheduled condition and the nominated node. Pure. Counterpart: scheduler `updatePod`. */
import { toTimestamp } from "../api/helpers/timestamps.ts";
import type { Pod, PodCondition } from "../api/schema/generated/models.ts";

export interface StatusWish {
  readonly condition?: { readonly type: string; readonly status: "True" | "False"; readonly reason: string; readonly message: string };
  /** "" clears it; undefined leaves it. */
  readonly nominatedNodeName?: string | undefined;
}

/** The strategic merge patch that brings the wish about, or undefined when it is so already. */
export function planPodStatus(pod: Pod, { condition, nominatedNodeName }: StatusWish, now: Date): object | undefined {
  const old = condition === undefined ? undefined : pod.status?.conditions?.find(({ type }) => type === condition.type);
  const isSame = condition === undefined || (old !== undefined && old.status === condition.status && old.reason === condition.reason && old.message === condition.message);
  const isNominated = nominatedNodeName === undefined || nominatedNodeName === (pod.status?.nominatedNodeName ?? "");
  if (isSame && isNominated) return undefined;
  const stamp = toTimestamp(now);
  const patched: Partial<PodCondition> | undefined = isSame ? undefined : {
    ...condition,
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime ?? stamp : stamp,
  };
  return {
    metadata: { uid: pod.metadata.uid }, // A pod of the same name made anew must not get it.
    status: { ...(patched === undefined ? {} : { conditions: [patched] }), ...(isNominated ? {} : { nominatedNodeName: nominatedNodeName === "" ? null : nominatedNodeName }) },
  };
}
