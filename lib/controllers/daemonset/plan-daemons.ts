/**
 * Deciding for one DaemonSet: which nodes lack its pod, which pods go, how a new template replaces an old one, what the status says. Pure.
 * Counterpart: kubernetes `pkg/controller/daemon` podsShouldBeOnNode, updateDaemonSetStatus and update.go rollingUpdate.
 */
import { isPodAvailable, isPodReady, isPodTerminating, untilPodAvailableMs } from "../../api/helpers/pod-status.ts";
import { REVISION_HASH_LABEL } from "../shared/controller-revisions.ts";
import { scaledValue } from "../shared/scaled-value.ts";
import { byPlacementAndAge, isUpdated, nodeVerdict } from "./daemon-pods.ts";
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/schema/generated/models.ts";

/** A DaemonSet with the nodes there are and its pods by the node they are on or meant for. */
export interface DaemonView {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  readonly podsOn: ReadonlyMap<string, readonly Pod[]>;
  /** Of the current template. */
  readonly hash: string;
}

export interface DaemonPlan {
  /** Nodes to make a pod on. */
  readonly create: string[];
  readonly remove: Pod[];
}

/** What was found out about a pod that has ended, for an event. */
export interface Ended { readonly pod: Pod; readonly node: string }
export interface DaemonChecks extends DaemonPlan { readonly failed: Ended[]; readonly succeeded: Ended[]; /** When the next failed pod may be removed. */ readonly retryAfterMs: number | undefined }

const allowsSurge = ({ spec }: DaemonSet): boolean => spec.updateStrategy?.type === "RollingUpdate" && scaledValue(spec.updateStrategy.rollingUpdate?.maxSurge, 100, Math.ceil) > 0;

/** `backoffMs` says how long a failed pod on a node must stay yet, so that a node that refuses it is not stormed. */
export function planDaemons({ set, nodes, podsOn, hash }: DaemonView, backoffMs: (node: string) => number, now: Date): DaemonChecks {
  const plan: DaemonChecks = { create: [], remove: [], failed: [], succeeded: [], retryAfterMs: undefined };
  let retryAfterMs = Infinity;
  for (const node of nodes) {
    const { name } = node.metadata, { shouldRun, mayContinue } = nodeVerdict(set, node), pods = podsOn.get(name);
    if (shouldRun && pods === undefined) plan.create.push(name);
    else if (!mayContinue) plan.remove.push(...(pods ?? []).filter((pod) => !isPodTerminating(pod)));
    else {
      const running: Pod[] = [];
      for (const pod of (pods ?? []).filter((p) => !isPodTerminating(p))) {
        if (pod.status?.phase === "Succeeded") plan.succeeded.push({ pod, node: name });
        else if (pod.status?.phase !== "Failed") running.push(pod);
        else if (backoffMs(name) > 0) retryAfterMs = Math.min(retryAfterMs, backoffMs(name));
        else plan.failed.push({ pod, node: name });
      }
      if (allowsSurge(set)) {
        if (running.length === 0 && shouldRun) plan.create.push(name);
        plan.remove.push(...surplusOfTwo(set, running, hash, now));
      } else plan.remove.push(...running.toSorted(byPlacementAndAge).slice(1));
    }
  }
  plan.remove.push(...[...plan.failed, ...plan.succeeded].map(({ pod }) => pod), ...withoutNode(nodes, podsOn));
  return { ...plan, retryAfterMs: retryAfterMs === Infinity ? undefined : retryAfterMs };
}

/** One old pod may stay beside one new one, as long as it is ready and the new one is not yet available. */
function surplusOfTwo(set: DaemonSet, running: readonly Pod[], hash: string, now: Date): Pod[] {
  if (running.length <= 1) return [];
  const ordered = running.toSorted(byPlacementAndAge), isNew = (pod: Pod): boolean => pod.metadata.labels?.[REVISION_HASH_LABEL] === hash;
  const newest = ordered.find(isNew), oldest = ordered.find((pod) => !isNew(pod)), rest = ordered.filter((pod) => pod !== newest && pod !== oldest);
  if (newest === undefined || oldest === undefined) return rest;
  return !isPodReady(oldest) || isPodAvailable(newest, set.spec.minReadySeconds ?? 0, now) ? [...rest, oldest] : rest;
}

/** Never scheduled and meant for a node that is gone: nobody else would remove them. */
function withoutNode(nodes: readonly Node[], podsOn: ReadonlyMap<string, readonly Pod[]>): Pod[] {
  const known = new Set(nodes.map((node) => node.metadata.name));
  return [...podsOn].filter(([name]) => !known.has(name)).flatMap(([, pods]) => pods.filter((pod) => (pod.spec.nodeName ?? "") === ""));
}

/** How many pods may be missing or too many while templates change; both 0 would never end. */
export function daemonLimits({ spec }: DaemonSet, desired: number): { maxSurge: number; maxUnavailable: number } {
  const rolling = spec.updateStrategy?.rollingUpdate, maxSurge = scaledValue(rolling?.maxSurge, desired, Math.ceil), maxUnavailable = scaledValue(rolling?.maxUnavailable, desired, Math.ceil);
  return { maxSurge, maxUnavailable: desired > 0 && maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}

/** The one old and the one new pod of a node; undefined while there are more of either. */
function pairOn({ set, hash }: DaemonView, pods: readonly Pod[]): { old: Pod | undefined; fresh: Pod | undefined } | undefined {
  const alive = pods.filter((pod) => !isPodTerminating(pod)), fresh = alive.filter((pod) => isUpdated(set, pod, hash)), old = alive.filter((pod) => !isUpdated(set, pod, hash));
  return fresh.length > 1 || old.length > 1 ? undefined : { old: old[0], fresh: fresh[0] };
}

/** The next step of a rolling update; asked only when nothing else is to be done. */
export function planRollingUpdate(view: DaemonView, now: Date): DaemonPlan {
  const desired = view.nodes.filter((node) => nodeVerdict(view.set, node).shouldRun).length, { maxSurge, maxUnavailable } = daemonLimits(view.set, desired);
  return maxSurge === 0 ? planReplacement(view, maxUnavailable, now) : planSurge(view, maxSurge, desired, now);
}

/** Old pods go, as many as may be missing; those that are not available anyway go at once. */
function planReplacement(view: DaemonView, maxUnavailable: number, now: Date): DaemonPlan {
  const minReadySeconds = view.set.spec.minReadySeconds ?? 0, broken: Pod[] = [], candidates: Pod[] = [];
  let unavailable = 0;
  for (const pods of view.podsOn.values()) {
    const pair = pairOn(view, pods);
    if (pair === undefined || (pair.old === undefined) === (pair.fresh === undefined)) unavailable++;
    else if (pair.old === undefined) unavailable += Number(!isPodAvailable(pair.fresh!, minReadySeconds, now));
    else if (isPodAvailable(pair.old, minReadySeconds, now)) candidates.push(pair.old);
    else { broken.push(pair.old); unavailable++; }
  }
  return { create: [], remove: [...broken, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

/** New pods come beside old ones, as many as may be too many; an old one goes when its new one is available. */
function planSurge(view: DaemonView, maxSurge: number, desired: number, now: Date): DaemonPlan {
  const { set, nodes } = view, minReadySeconds = set.spec.minReadySeconds ?? 0, remove: Pod[] = [], displaced: Pod[] = [], urgent: string[] = [], candidates: string[] = [];
  const isAvailable = (pod: Pod): boolean => isPodAvailable(pod, minReadySeconds, now);
  let surging = 0, available = 0;
  for (const [name, pods] of view.podsOn) {
    const pair = pairOn(view, pods), node = nodes.find((n) => n.metadata.name === name);
    if (pair === undefined) { surging++; continue; }
    const { old, fresh } = pair, counted = old ?? fresh;
    if (counted !== undefined && isAvailable(counted)) available++;
    if (old === undefined || node === undefined) continue;
    if (fresh !== undefined) { if (isAvailable(fresh)) remove.push(old); else surging++; continue; }
    const { shouldRun } = nodeVerdict(set, node);
    if (isAvailable(old)) (shouldRun ? candidates : []).push(name);
    else if (shouldRun) urgent.push(name);
    else remove.push(old);
    if (!shouldRun && isAvailable(old)) displaced.push(old);
  }
  // A pod on a node it no longer belongs to stays until enough others are available.
  remove.push(...displaced.slice(0, Math.max(0, available - desired)));
  return { create: [...urgent, ...candidates.slice(0, Math.max(0, maxSurge - surging))], remove };
}

/** `observe`: whether this generation was acted upon. */
export function planDaemonStatus({ set, nodes, podsOn, hash }: DaemonView, observe: boolean, now: Date): DaemonSetStatus {
  const minReadySeconds = set.spec.minReadySeconds ?? 0;
  let desired = 0, current = 0, misscheduled = 0, ready = 0, updated = 0, available = 0;
  for (const node of nodes) {
    const [first] = (podsOn.get(node.metadata.name) ?? []).toSorted(byPlacementAndAge);
    if (!nodeVerdict(set, node).shouldRun) { misscheduled += Number(first !== undefined); continue; }
    desired++;
    if (first === undefined) continue;
    current++;
    ready += Number(isPodReady(first));
    available += Number(isPodAvailable(first, minReadySeconds, now));
    updated += Number(isUpdated(set, first, hash));
  }
  const observedGeneration = observe ? set.metadata.generation ?? 0 : set.status?.observedGeneration ?? 0, { collisionCount, conditions } = set.status ?? {};
  return {
    currentNumberScheduled: current, numberMisscheduled: misscheduled, desiredNumberScheduled: desired, numberReady: ready, ...nonZero({ observedGeneration, updatedNumberScheduled: updated, numberAvailable: available, numberUnavailable: desired - available }),
    ...(collisionCount === undefined ? {} : { collisionCount }), ...(conditions === undefined ? {} : { conditions }),
  };
}

const nonZero = <T extends Record<string, number>>(counts: T): Partial<T> => Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)) as Partial<T>;

/** Milliseconds until the next ready pod becomes available; undefined when none is on its way. */
export function nextAvailabilityMs({ set, podsOn }: DaemonView, now: Date): number | undefined {
  const waits = [...podsOn.values()].flat().map((pod) => untilPodAvailableMs(pod, set.spec.minReadySeconds ?? 0, now)).filter((ms) => ms !== undefined && ms > 0) as number[];
  return waits.length === 0 ? undefined : Math.min(...waits);
}
