/**
 * Deciding for one StatefulSet: what is to be done next, in order, and what its status says. Pure.
 *
 *   missing or broken pods, from the lowest ──► pods beyond the size, from the highest ──► pods of an old template, from the highest
 *
 * In order (OrderedReady) the first thing that must be waited for ends the list; in parallel nothing is waited for but updates.
 * Counterpart: updateStatefulSet in kubernetes `pkg/controller/statefulset/stateful_set_control.go`. Differs: a pod of an old template
 * that is not available anyway is replaced without counting towards maxUnavailable.
 */
import { isPodAvailable, isPodReady, isPodTerminal, isPodTerminating, untilPodAvailableMs } from "../../api/helpers/pod-status.ts";
import { scaledValue } from "../shared/scaled-value.ts";
import { claimNameOf, hasIdentity, isWanted, ordinalOf, podNameOf, replicasOf, revisionOf, startOf } from "./identity.ts";
import { isStaleClaim, planClaimOwners } from "./plan-claims.ts";
import type { ControllerRevision, PersistentVolumeClaim, Pod, StatefulSet, StatefulSetStatus } from "../../api/schema/generated/models.ts";

export interface StatefulView {
  readonly set: StatefulSet;
  readonly pods: readonly Pod[];
  readonly claimOf: (name: string) => PersistentVolumeClaim | undefined;
  /** The template pods had, and the one they are to get; the same when no update is under way. */
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
}

export type StatefulAction =
  | { readonly kind: "create"; readonly ordinal: number; readonly revision: ControllerRevision }
  | { readonly kind: "delete"; readonly pod: Pod }
  /** Makes claims that are missing for a pod that waits. */
  | { readonly kind: "claim"; readonly pod: Pod; readonly ordinal: number }
  /** Labels, or owners of claims, are not as they should be. */
  | { readonly kind: "correct"; readonly pod: Pod; readonly ordinal: number }
  /** Of a pod that is about to be scaled away. */
  | { readonly kind: "disown"; readonly pod: Pod; readonly ordinal: number };

const isRunningAndReady = (pod: Pod): boolean => pod.status?.phase === "Running" && isPodReady(pod);
const isHealthy = (pod: Pod): boolean => isRunningAndReady(pod) && !isPodTerminating(pod);
const isOrdered = ({ spec }: StatefulSet): boolean => spec.podManagementPolicy !== "Parallel";

interface Planned { readonly actions: StatefulAction[]; /** Something must come about first. */ readonly mustWait: boolean }

export function planStateful(view: StatefulView, now: Date): StatefulAction[] {
  if (view.set.metadata.deletionTimestamp !== undefined) return [];
  const present = planPresent(view, now);
  if (present.mustWait) return present.actions;
  const condemned = planCondemned(view, now), before = [...present.actions, ...condemned.actions];
  return condemned.mustWait || view.set.spec.updateStrategy?.type === "OnDelete" ? before : [...before, ...planUpdate(view, now)];
}

function podAt({ set, pods }: StatefulView, ordinal: number): Pod | undefined { return pods.find((pod) => pod.metadata.name === podNameOf(set, ordinal)); }

function claimsOf({ set, claimOf }: StatefulView, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map((template) => claimOf(claimNameOf(set, template, ordinal))).filter((claim) => claim !== undefined);
}

/** Below the partition, or below what has not been updated yet, pods are made as they were. */
function revisionFor({ set, current, update }: StatefulView, index: number): ControllerRevision {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
  if (type !== "RollingUpdate") return update;
  return index < (rollingUpdate === undefined ? set.status?.currentReplicas ?? 0 : rollingUpdate.partition ?? 0) ? current : update;
}

function planPresent(view: StatefulView, now: Date): Planned {
  const { set } = view, actions: StatefulAction[] = [], ordered = isOrdered(set), minReadySeconds = set.spec.minReadySeconds ?? 0;
  for (let index = 0; index < replicasOf(set); index++) {
    const ordinal = startOf(set) + index, pod = podAt(view, ordinal);
    if (pod === undefined) {
      if (!claimsOf(view, ordinal).some((claim) => isStaleClaim(set, podNameOf(set, ordinal), claim))) actions.push({ kind: "create", ordinal, revision: revisionFor(view, index) });
    } else if (isPodTerminal(pod)) { if (!isPodTerminating(pod)) actions.push({ kind: "delete", pod }); } // Made anew once it is gone.
    else {
      if (pod.status?.phase === "Pending") actions.push({ kind: "claim", pod, ordinal });
      const isSettled = !isPodTerminating(pod) && isRunningAndReady(pod) && isPodAvailable(pod, minReadySeconds, now);
      if (ordered && !isSettled) return { actions, mustWait: true };
      if (!hasIdentity(pod) || claimsOf(view, ordinal).some((claim) => planClaimOwners(set, pod, claim) !== undefined)) actions.push({ kind: "correct", pod, ordinal });
      continue;
    }
    if (ordered) return { actions, mustWait: true };
  }
  return { actions, mustWait: false };
}

function planCondemned(view: StatefulView, now: Date): Planned {
  const { set } = view, ordered = isOrdered(set), minReadySeconds = set.spec.minReadySeconds ?? 0, actions: StatefulAction[] = [];
  const condemned = view.pods.map((pod) => ({ pod, ordinal: ordinalOf(set, pod) ?? -1 })).filter(({ ordinal }) => ordinal >= 0 && !isWanted(set, ordinal)).toSorted((a, b) => b.ordinal - a.ordinal);
  const firstUnhealthy = condemned.findLast(({ pod }) => !isHealthy(pod))?.pod;
  for (const { pod, ordinal } of condemned) if (claimsOf(view, ordinal).some((claim) => planClaimOwners(set, pod, claim) !== undefined)) actions.push({ kind: "disown", pod, ordinal });
  for (const { pod } of condemned) {
    if (isPodTerminating(pod)) { if (ordered) return { actions, mustWait: true }; continue; }
    if (ordered && pod !== firstUnhealthy && !(isRunningAndReady(pod) && isPodAvailable(pod, minReadySeconds, now))) return { actions, mustWait: true };
    actions.push({ kind: "delete", pod });
    if (ordered) return { actions, mustWait: true };
  }
  return { actions, mustWait: false };
}

/** As many as may be missing, and never below one. */
export const maxUnavailableOf = (set: StatefulSet): number => Math.max(1, scaledValue(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, replicasOf(set), Math.floor));

function planUpdate(view: StatefulView, now: Date): StatefulAction[] {
  const { set, update } = view, partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0, minReadySeconds = set.spec.minReadySeconds ?? 0, actions: StatefulAction[] = [];
  const replicas = Array.from({ length: replicasOf(set) }, (_, index) => podAt(view, startOf(set) + index));
  const isAvailable = (pod: Pod | undefined): boolean => pod !== undefined && isHealthy(pod) && isPodAvailable(pod, minReadySeconds, now);
  let budget = maxUnavailableOf(set) - replicas.filter((pod) => !isAvailable(pod)).length;
  for (let index = replicas.length - 1; index >= partition; index--) {
    const pod = replicas[index];
    if (pod === undefined || isPodTerminating(pod) || isPodTerminal(pod) || revisionOf(pod) === update.metadata.name) continue;
    if (isAvailable(pod) && budget-- <= 0) continue;
    actions.push({ kind: "delete", pod });
  }
  return actions;
}

/** An update is over when every pod is of the new template and ready: only then is that the current one. */
export function planStatefulStatus({ set, pods, current, update }: StatefulView, collisionCount: number, now: Date): StatefulSetStatus {
  const minReadySeconds = set.spec.minReadySeconds ?? 0, made = pods.filter((pod) => (pod.status?.phase ?? "") !== ""), staying = made.filter((pod) => !isPodTerminating(pod));
  const readyReplicas = pods.filter(isRunningAndReady).length, updatedReplicas = staying.filter((pod) => revisionOf(pod) === update.metadata.name).length;
  const wanted = replicasOf(set), isDone = set.spec.updateStrategy?.type === "RollingUpdate" && updatedReplicas === wanted && readyReplicas === wanted && made.length === wanted;
  const currentReplicas = isDone ? updatedReplicas : staying.filter((pod) => revisionOf(pod) === current.metadata.name).length;
  return {
    observedGeneration: set.metadata.generation ?? 0, replicas: made.length, ...(readyReplicas === 0 ? {} : { readyReplicas }), ...(currentReplicas === 0 ? {} : { currentReplicas }), ...(updatedReplicas === 0 ? {} : { updatedReplicas }),
    currentRevision: isDone ? update.metadata.name : current.metadata.name, updateRevision: update.metadata.name, collisionCount,
    availableReplicas: pods.filter((pod) => isRunningAndReady(pod) && isPodAvailable(pod, minReadySeconds, now)).length, ...(set.status?.conditions === undefined ? {} : { conditions: set.status.conditions }),
  };
}

/** Milliseconds until the next ready pod becomes available; undefined when none is on its way. */
export function nextAvailabilityMs({ set, pods }: StatefulView, now: Date): number | undefined {
  const waits = pods.map((pod) => untilPodAvailableMs(pod, set.spec.minReadySeconds ?? 0, now)).filter((ms) => ms !== undefined && ms > 0) as number[];
  return waits.length === 0 ? undefined : Math.min(...waits);
}
