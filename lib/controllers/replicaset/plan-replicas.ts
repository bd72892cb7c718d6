/**
 * Deciding for one ReplicaSet (or ReplicationController): what to create or delete, and what its status says. Pure.
 * Counterpart: kubernetes `pkg/controller/replicaset` manageReplicas and replica_set_utils.go.
 */
import { isPodReady, untilPodAvailableMs } from "../../api/helpers/pod-status.ts";
import { matchesLabels, selectorFromSet } from "../../api/helpers/label-selector.ts";
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import { compareForDeletion } from "../shared/pod-rank.ts";
import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus, ReplicationController } from "../../api/schema/generated/models.ts";

/** At most so many pods are created or deleted in one go. */
export const BURST_REPLICAS = 500;

export type ReplicaOwner = ReplicaSet | ReplicationController;
export type ReplicaPlan = { readonly kind: "settled" } | { readonly kind: "create"; readonly count: number } | { readonly kind: "delete"; readonly pods: readonly Pod[] };

/** Decides which actions move `active` towards the wanted number. `related` are the pods of all owners of the same deployment. */
export function planReplicas(owner: ReplicaOwner, active: readonly Pod[], related: readonly Pod[], now: Date): ReplicaPlan {
  const surplus = active.length - (owner.spec.replicas ?? 1);
  if (surplus === 0) return { kind: "settled" };
  if (surplus < 0) return { kind: "create", count: Math.min(-surplus, BURST_REPLICAS) };
  const count = Math.min(surplus, BURST_REPLICAS);
  if (count >= active.length) return { kind: "delete", pods: active };
  const onNode = new Map<string, number>();
  for (const { spec } of related) if ((spec.nodeName ?? "") !== "") onNode.set(spec.nodeName!, (onNode.get(spec.nodeName!) ?? 0) + 1);
  const siblings = (pod: Pod): number => onNode.get(pod.spec.nodeName ?? "") ?? 0;
  return { kind: "delete", pods: active.toSorted((a, b) => compareForDeletion(a, b, siblings, now)).slice(0, count) };
}

/** Why the wanted number could not be reached, as a condition tells it. */
export interface ReplicaFailure { readonly reason: "FailedCreate" | "FailedDelete"; readonly message: string }

/** The status that follows from the pods as they are. Conditions keep their transition time while they do not change. */
export function planReplicaStatus(owner: ReplicaOwner, active: readonly Pod[], terminating: readonly Pod[], failure: ReplicaFailure | undefined, now: Date): ReplicaSetStatus {
  const templateLabels = selectorFromSet(owner.spec.template?.metadata?.labels), minReadySeconds = owner.spec.minReadySeconds ?? 0;
  const count = (test: (pod: Pod) => boolean): number => active.reduce((n, pod) => n + Number(test(pod)), 0);
  const conditions = planConditions(owner.status?.conditions ?? [], failure, now);
  return {
    replicas: active.length,
    fullyLabeledReplicas: count((pod) => matchesLabels(templateLabels, pod.metadata.labels)),
    readyReplicas: count(isPodReady),
    availableReplicas: count((pod) => untilPodAvailableMs(pod, minReadySeconds, now) === 0),
    ...(owner.kind === "ReplicationController" ? {} : { terminatingReplicas: terminating.length }),
    observedGeneration: owner.metadata.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function planConditions(before: readonly ReplicaSetCondition[], failure: ReplicaFailure | undefined, now: Date): ReplicaSetCondition[] {
  const current = before.find((c) => c.type === "ReplicaFailure"), others = before.filter((c) => c.type !== "ReplicaFailure");
  if (failure === undefined) return others;
  // The first failure stays until there is none: its message must not change with every try.
  if (current !== undefined) return [...before];
  return [...others, { type: "ReplicaFailure", status: "True", lastTransitionTime: toTimestamp(now), reason: failure.reason, message: failure.message }];
}

/** Milliseconds until the next ready pod becomes available; undefined when none is on its way. */
export function nextAvailabilityMs(owner: ReplicaOwner, active: readonly Pod[], now: Date): number | undefined {
  const waits = active.map((pod) => untilPodAvailableMs(pod, owner.spec.minReadySeconds ?? 0, now)).filter((ms) => ms !== undefined && ms > 0);
  return waits.length === 0 ? undefined : Math.min(...waits as number[]);
}

/** Whether writing `fresh` would change what the server has. Zero and absent are the same. */
export function statusChanged(old: ReplicaSetStatus | undefined, fresh: ReplicaSetStatus): boolean {
  const counts = ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "terminatingReplicas", "observedGeneration"] as const;
  if (counts.some((name) => (old?.[name] ?? 0) !== (fresh[name] ?? 0))) return true;
  if (fresh.terminatingReplicas !== undefined && old?.terminatingReplicas === undefined) return true;
  return JSON.stringify(old?.conditions ?? []) !== JSON.stringify(fresh.conditions ?? []);
}
