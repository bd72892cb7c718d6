/**
 * Steps of a rollout: how far the new replica set may grow and the old ones shrink. Pure.
 * Counterpart: kubernetes `pkg/controller/deployment` rolling.go, sync.go scale, and util.NewRSNewReplicas.
 */
import { activeSets, byCreation, desiredReplicas, isRollingUpdate, replicasOf, resolveFenceposts, sumReplicas, sumStatus } from "./fenceposts.ts";
import { DESIRED_REPLICAS_ANNOTATION, MAX_REPLICAS_ANNOTATION } from "./revisions.ts";
import type { Deployment, ReplicaSet } from "../../api/schema/generated/models.ts";

export interface Scaling { readonly set: ReplicaSet; readonly replicas: number }

/** Replicas the new set should have now; `current` is undefined before it exists. */
export function newSetReplicas(deployment: Deployment, sets: readonly ReplicaSet[], current: ReplicaSet | undefined): number {
  const desired = desiredReplicas(deployment);
  if (!isRollingUpdate(deployment)) return desired;
  const now = current === undefined ? 0 : replicasOf(current);
  const room = desired + resolveFenceposts(deployment).maxSurge - sumReplicas(sets);
  return room <= 0 ? now : now + Math.min(room, desired - now);
}

/** What the old sets shrink to in this step: first what is unhealthy anyway, then as much as availability allows. */
export function planOldSets(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Scaling[] {
  if (sumReplicas(oldSets) === 0) return [];
  const minAvailable = desiredReplicas(deployment) - resolveFenceposts(deployment).maxUnavailable;
  const newUnavailable = newSet === undefined ? 0 : replicasOf(newSet) - (newSet.status?.availableReplicas ?? 0);
  const maxScaledDown = sumReplicas([...oldSets, newSet]) - minAvailable - newUnavailable;
  if (maxScaledDown <= 0) return [];
  const planned = new Map(oldSets.map((set) => [set, replicasOf(set)]));
  let cleaned = 0;
  for (const set of oldSets.toSorted(byCreation)) {
    const unhealthy = Math.max(0, replicasOf(set) - (set.status?.availableReplicas ?? 0));
    const take = Math.min(unhealthy, maxScaledDown - cleaned);
    if (take <= 0) continue;
    planned.set(set, replicasOf(set) - take);
    cleaned += take;
  }
  let spare = sumStatus([...oldSets, newSet], "availableReplicas") - minAvailable;
  for (const set of oldSets.toSorted(byCreation)) {
    if (spare <= 0) break;
    const take = Math.min(planned.get(set)!, spare);
    planned.set(set, planned.get(set)! - take);
    spare -= take;
  }
  return [...planned].filter(([set, replicas]) => replicas !== replicasOf(set)).map(([set, replicas]) => ({ set, replicas }));
}

/** Whether the deployment's own `replicas` changed since its sets were last sized: then sizes follow, and no rollout step is made. */
export function isScalingEvent(deployment: Deployment, sets: readonly ReplicaSet[]): boolean {
  return activeSets(sets).some((set) => {
    const desired = annotatedNumber(set, DESIRED_REPLICAS_ANNOTATION);
    return desired !== undefined && desired !== desiredReplicas(deployment);
  });
}

const annotatedNumber = (set: ReplicaSet, name: string): number | undefined => {
  const text = set.metadata.annotations?.[name];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
};

const isSaturated = (deployment: Deployment, set: ReplicaSet | undefined): boolean =>
  set !== undefined && replicasOf(set) === desiredReplicas(deployment) && annotatedNumber(set, DESIRED_REPLICAS_ANNOTATION) === desiredReplicas(deployment) && (set.status?.availableReplicas ?? 0) === desiredReplicas(deployment);

/** Sizes that follow the deployment's `replicas`: one active set takes it all, several share it in proportion. */
export function planScaling(deployment: Deployment, newSet: ReplicaSet | undefined, oldSets: readonly ReplicaSet[]): Scaling[] {
  const desired = desiredReplicas(deployment), active = activeSets([newSet, ...oldSets]);
  if (active.length <= 1) {
    const only = active[0] ?? newSet ?? oldSets.toSorted(byCreation)[0];
    return only === undefined ? [] : [{ set: only, replicas: desired }];
  }
  if (isSaturated(deployment, newSet)) return activeSets(oldSets).map((set) => ({ set, replicas: 0 }));
  if (!isRollingUpdate(deployment)) return [];
  return planProportional(deployment, active);
}

function planProportional(deployment: Deployment, active: readonly ReplicaSet[]): Scaling[] {
  const desired = desiredReplicas(deployment), allowed = desired > 0 ? desired + resolveFenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - sumReplicas(active);
  // Growing, the newest of the largest goes first; shrinking, the oldest of the largest.
  const ordered = active.toSorted((a, b) => replicasOf(b) - replicasOf(a) || (toAdd > 0 ? byCreation(b, a) : byCreation(a, b)));
  const sizes = ordered.map(replicasOf);
  let added = 0;
  ordered.forEach((set, i) => {
    if (toAdd === 0) return;
    const share = fractionOf(deployment, set), room = toAdd - added;
    const proportion = toAdd > 0 ? Math.min(share, room) : Math.max(share, room);
    sizes[i] = sizes[i]! + proportion;
    added += proportion;
  });
  if (toAdd !== 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added);
  return ordered.map((set, i) => ({ set, replicas: sizes[i]! }));
}

/** How many replicas a set gains (or loses) when the whole grows in proportion. */
function fractionOf(deployment: Deployment, set: ReplicaSet): number {
  const desired = desiredReplicas(deployment);
  if (desired === 0) return -replicasOf(set);
  const maxNow = desired + resolveFenceposts(deployment).maxSurge;
  const maxBefore = annotatedNumber(set, MAX_REPLICAS_ANNOTATION) || deployment.status?.replicas || maxNow;
  return Math.round((replicasOf(set) * maxNow) / maxBefore) - replicasOf(set);
}
