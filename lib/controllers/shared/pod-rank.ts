/**
 * Which pods go first when there are too many: those whose loss costs least. Pure.
 * Counterpart: ActivePodsWithRanks in kubernetes `pkg/controller/controller_utils.go`, logarithmic scale-down included.
 */
import type { Pod } from "../../api/schema/generated/models.ts";
import { isSidecar } from "../../api/helpers/pod-resources.ts";
import { isPodReady, podCondition } from "../../api/helpers/pod-status.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";

export const POD_DELETION_COST_ANNOTATION = "controller.kubernetes.io/pod-deletion-cost";
const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** The annotation's value, 0 when absent; the API server refuses what is not an int32. */
function deletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[POD_DELETION_COST_ANNOTATION];
  return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

/** Ages within one power of two of nanoseconds count as alike, so that not always the youngest goes. */
function logarithmicAge(atMs: number, nowMs: number): number {
  const ageMs = nowMs - atMs;
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

/** Younger first, with the uid as tie-breaker; an unknown time before a known one; 0 when both are unknown. */
function byAge(aMs: number | undefined, bMs: number | undefined, a: Pod, b: Pod, nowMs: number): number {
  if (aMs === undefined || bMs === undefined) return Number(bMs === undefined ? 0 : 1) * -1 + Number(aMs === undefined ? 0 : 1);
  const difference = logarithmicAge(aMs, nowMs) - logarithmicAge(bMs, nowMs);
  if (difference !== 0) return difference;
  return (a.metadata.uid ?? "") < (b.metadata.uid ?? "") ? -1 : 1;
}

function restarts(pod: Pod): { regular: number; sidecar: number } {
  const sidecars = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map((c) => c.name));
  const regular = Math.max(0, ...(pod.status?.containerStatuses ?? []).map((s) => s.restartCount));
  const sidecar = Math.max(0, ...(pod.status?.initContainerStatuses ?? []).filter((s) => sidecars.has(s.name)).map((s) => s.restartCount));
  return { regular, sidecar };
}

const readySinceMs = (pod: Pod): number | undefined => timestampMs(podCondition(pod, "Ready")?.lastTransitionTime);

/**
 * Orders pods for deletion, first to go first. `siblingsOnNode` says how many related pods share the pod's node: of doubled-up pods
 * one goes before a pod that is alone on its node.
 */
export function compareForDeletion(a: Pod, b: Pod, siblingsOnNode: (pod: Pod) => number, now: Date): number {
  const assigned = Number((a.spec.nodeName ?? "") !== "") - Number((b.spec.nodeName ?? "") !== "");
  if (assigned !== 0) return assigned;
  const phase = (PHASE_RANK[a.status?.phase ?? ""] ?? 0) - (PHASE_RANK[b.status?.phase ?? ""] ?? 0);
  if (phase !== 0) return phase;
  const aReady = isPodReady(a), bReady = isPodReady(b);
  if (aReady !== bReady) return Number(aReady) - Number(bReady);
  const cost = deletionCost(a) - deletionCost(b);
  if (cost !== 0) return cost;
  const doubled = siblingsOnNode(b) - siblingsOnNode(a);
  if (doubled !== 0) return doubled;
  if (aReady && bReady) {
    const aMs = readySinceMs(a), bMs = readySinceMs(b);
    if (aMs !== bMs) return byAge(aMs, bMs, a, b, now.getTime());
  }
  const ra = restarts(a), rb = restarts(b);
  if (ra.regular !== rb.regular) return rb.regular - ra.regular;
  if (ra.sidecar !== rb.sidecar) return rb.sidecar - ra.sidecar;
  const aMs = timestampMs(a.metadata.creationTimestamp), bMs = timestampMs(b.metadata.creationTimestamp);
  return aMs === bMs ? 0 : byAge(aMs, bMs, a, b, now.getTime());
}
