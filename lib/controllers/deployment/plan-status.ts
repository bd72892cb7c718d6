/**
 * Status of a deployment: counts, and the conditions Available, Progressing and ReplicaFailure with upstream's reasons. Pure.
 * Counterpart: kubernetes `pkg/controller/deployment` progress.go and sync.go calculateStatus.
 */
import { desiredReplicas, resolveFenceposts, sumStatus } from "./fenceposts.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { timestampMs, toTimestamp } from "../../api/helpers/timestamps.ts";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "../../api/schema/generated/models.ts";

export const NEW_SET_AVAILABLE = "NewReplicaSetAvailable";
export const TIMED_OUT = "ProgressDeadlineExceeded";
const NO_DEADLINE = 2_147_483_647;

export const hasProgressDeadline = (deployment: Deployment): boolean => deployment.spec.progressDeadlineSeconds !== undefined && deployment.spec.progressDeadlineSeconds !== NO_DEADLINE;
export const conditionOf = (status: DeploymentStatus | undefined, type: string): DeploymentCondition | undefined => status?.conditions?.find((c) => c.type === type);

export function condition(type: "Available" | "Progressing" | "ReplicaFailure", status: "True" | "False" | "Unknown", reason: string, message: string, now: Date): DeploymentCondition {
  return { type, status, lastUpdateTime: toTimestamp(now), lastTransitionTime: toTimestamp(now), reason, message };
}

/** Puts a condition in unless one of the same status and reason is there; the transition time survives a mere change of reason. */
export function withCondition(conditions: readonly DeploymentCondition[], fresh: DeploymentCondition): DeploymentCondition[] {
  const current = conditions.find((c) => c.type === fresh.type);
  if (current !== undefined && current.status === fresh.status && current.reason === fresh.reason) return [...conditions];
  const kept = current !== undefined && current.status === fresh.status ? { ...fresh, lastTransitionTime: current.lastTransitionTime } : fresh;
  return [...withoutCondition(conditions, fresh.type), kept];
}

export const withoutCondition = (conditions: readonly DeploymentCondition[], type: string): DeploymentCondition[] => conditions.filter((c) => c.type !== type);

/** Counts and availability; progress is another matter. */
export function calculateStatus(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[], now: Date): DeploymentStatus {
  const sets = [...oldSets, newSet], available = sumStatus(sets, "availableReplicas"), total = sumStatus(sets, "replicas");
  const enough = available >= desiredReplicas(deployment) - resolveFenceposts(deployment).maxUnavailable;
  return {
    observedGeneration: deployment.metadata.generation ?? 0, replicas: total, updatedReplicas: newSet?.status?.replicas ?? 0,
    readyReplicas: sumStatus(sets, "readyReplicas"), availableReplicas: available, unavailableReplicas: Math.max(0, total - available),
    terminatingReplicas: sumStatus(sets, "terminatingReplicas"),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
    conditions: withCondition(deployment.status?.conditions ?? [], enough
      ? condition("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now)
      : condition("Available", "False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.", now)),
  };
}

/** Every replica is of the current template and available, and nothing old is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const desired = desiredReplicas(deployment);
  return (status.updatedReplicas ?? 0) === desired && (status.replicas ?? 0) === desired && (status.availableReplicas ?? 0) === desired && (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0);
}

function isProgressing(old: DeploymentStatus | undefined, fresh: DeploymentStatus): boolean {
  const of = (status: DeploymentStatus | undefined, field: "updatedReplicas" | "readyReplicas" | "availableReplicas" | "replicas"): number => status?.[field] ?? 0;
  const oldPods = of(old, "replicas") - of(old, "updatedReplicas"), freshOldPods = of(fresh, "replicas") - of(fresh, "updatedReplicas");
  return of(fresh, "updatedReplicas") > of(old, "updatedReplicas") || freshOldPods < oldPods || of(fresh, "readyReplicas") > of(old, "readyReplicas") || of(fresh, "availableReplicas") > of(old, "availableReplicas");
}

function isTimedOut(deployment: Deployment, conditions: readonly DeploymentCondition[], now: Date): boolean {
  const current = conditions.find((c) => c.type === "Progressing");
  if (!hasProgressDeadline(deployment) || current === undefined || current.reason === NEW_SET_AVAILABLE) return false;
  if (current.reason === TIMED_OUT) return true;
  return (timestampMs(current.lastUpdateTime) ?? now.getTime()) + deployment.spec.progressDeadlineSeconds! * 1_000 < now.getTime();
}

/** The status after a rollout step, conditions included. */
export function planRolloutStatus(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[], now: Date): DeploymentStatus {
  const status = calculateStatus(deployment, newSet, oldSets, now);
  let conditions = status.conditions!;
  const current = conditions.find((c) => c.type === "Progressing");
  const about = newSet === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${newSet.metadata.name}"`;
  if (!hasProgressDeadline(deployment)) conditions = withoutCondition(conditions, "Progressing");
  const settled = (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === NEW_SET_AVAILABLE;
  if (hasProgressDeadline(deployment) && !settled) {
    if (isComplete(deployment, status)) conditions = withCondition(conditions, condition("Progressing", "True", NEW_SET_AVAILABLE, `${about} has successfully progressed.`, now));
    else if (isProgressing(deployment.status, status)) {
      const fresh = condition("Progressing", "True", "ReplicaSetUpdated", `${about} is progressing.`, now);
      if (current?.status === "True") fresh.lastTransitionTime = current.lastTransitionTime;
      conditions = [...withoutCondition(conditions, "Progressing"), fresh]; // Always replaced: its update time is what the deadline counts from.
    } else if (isTimedOut(deployment, conditions, now)) conditions = withCondition(conditions, condition("Progressing", "False", TIMED_OUT, `${about} has timed out progressing.`, now));
  }
  const failure = setFailure(newSet, oldSets);
  conditions = failure === undefined ? withoutCondition(conditions, "ReplicaFailure") : withCondition(conditions, failure);
  return { ...status, conditions };
}

/** The failure of the new set, else of any. */
function setFailure(newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): DeploymentCondition | undefined {
  for (const set of [newSet, ...oldSets]) {
    const found = set?.status?.conditions?.find((c) => c.type === "ReplicaFailure");
    if (found !== undefined) return { type: "ReplicaFailure", status: found.status, reason: found.reason, message: found.message, lastTransitionTime: found.lastTransitionTime, lastUpdateTime: found.lastTransitionTime };
  }
  return undefined;
}

/** Milliseconds until the progress deadline must be looked at; undefined when there is nothing to wait for. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, now: Date): number | undefined {
  const current = conditionOf(status, "Progressing");
  if (!hasProgressDeadline(deployment) || current === undefined || isComplete(deployment, status) || current.reason === TIMED_OUT || current.reason === NEW_SET_AVAILABLE) return undefined;
  const dueMs = (timestampMs(current.lastUpdateTime) ?? now.getTime()) + deployment.spec.progressDeadlineSeconds! * 1_000;
  return Math.max(0, dueMs - now.getTime()) + 1_000;
}

/** The Progressing condition a pause or resume leaves; undefined when it is as it should be. */
export function planPauseCondition(deployment: Deployment, now: Date): DeploymentCondition | undefined {
  const current = conditionOf(deployment.status, "Progressing"), paused = deployment.spec.paused === true;
  if (!hasProgressDeadline(deployment) || current?.reason === TIMED_OUT) return undefined;
  if (paused && current?.reason !== "DeploymentPaused") return condition("Progressing", "Unknown", "DeploymentPaused", "Deployment is paused", now);
  if (!paused && current?.reason === "DeploymentPaused") return condition("Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed", now);
  return undefined;
}

/** Whether writing `fresh` would change what the server has. Zero and absent are the same. */
export function deploymentStatusChanged(old: DeploymentStatus | undefined, fresh: DeploymentStatus): boolean {
  const counts = ["observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas", "terminatingReplicas", "collisionCount"] as const;
  return counts.some((name) => (old?.[name] ?? 0) !== (fresh[name] ?? 0)) || !semanticEqual(old?.conditions ?? [], fresh.conditions ?? []);
}
