/** How many pods a deployment may have too many or too few while it changes. Pure. Counterpart: kubernetes `pkg/controller/deployment/util`. */
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { scaledValue } from "../shared/scaled-value.ts";
import type { Deployment, ReplicaSet } from "../../api/schema/generated/models.ts";

export const desiredReplicas = (deployment: Deployment): number => deployment.spec.replicas ?? 1;
export const isRollingUpdate = (deployment: Deployment): boolean => deployment.spec.strategy?.type !== "Recreate";
export const replicasOf = (rs: ReplicaSet): number => rs.spec.replicas ?? 1;
export const sumReplicas = (sets: readonly (ReplicaSet | undefined)[]): number => sets.reduce((n, rs) => n + (rs === undefined ? 0 : replicasOf(rs)), 0);
export const sumStatus = (sets: readonly (ReplicaSet | undefined)[], field: "replicas" | "readyReplicas" | "availableReplicas" | "terminatingReplicas"): number =>
  sets.reduce((n, rs) => n + (rs?.status?.[field] ?? 0), 0);
export const activeSets = (sets: readonly (ReplicaSet | undefined)[]): ReplicaSet[] => sets.filter((rs) => rs !== undefined && replicasOf(rs) > 0) as ReplicaSet[];

/** Oldest first; names decide between sets of one second. */
export const byCreation = (a: ReplicaSet, b: ReplicaSet): number =>
  (timestampMs(a.metadata.creationTimestamp) ?? 0) - (timestampMs(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);

/** Surge rounds up, unavailability down; both 0 would deadlock, so one pod may then be missing. */
export function resolveFenceposts(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  const desired = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const rolling = deployment.spec.strategy?.rollingUpdate;
  const maxSurge = scaledValue(rolling?.maxSurge, desired, Math.ceil);
  let maxUnavailable = scaledValue(rolling?.maxUnavailable, desired, Math.floor);
  if (maxSurge === 0 && maxUnavailable === 0) maxUnavailable = 1;
  return { maxSurge, maxUnavailable: desired === 0 ? 0 : Math.min(maxUnavailable, desired) };
}
