/**
 * What a PodDisruptionBudget's status says: how many of its pods must stay, are healthy, and may be evicted now. Pure.
 * Counterpart: kubernetes `pkg/controller/disruption/disruption.go` and component-helpers `apps/poddisruptionbudget`.
 */
import { isPodReady, isPodTerminal, isPodTerminating, podCondition } from "../../api/helpers/pod-status.ts";
import { timestampMs, toTimestamp } from "../../api/helpers/timestamps.ts";
import { scaledValue } from "../shared/scaled-value.ts";
import type { Condition, Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../api/schema/generated/models.ts";

/** A pod whose eviction was allowed counts as gone for so long; then it is believed to stay. */
export const DELETION_TIMEOUT_MS = 120_000;
/** A pod that was told it would be disrupted and still runs after so long was not. */
export const STALE_DISRUPTION_MS = 120_000;

export interface Expectation { readonly expected: number; readonly desired: number }

/** Whether the wanted number depends on how many pods the controllers of these are to have. */
export const needsScale = ({ spec }: PodDisruptionBudget): boolean => spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === "string";

/** `scale` is the sum of what the pods' controllers ask for; without need of it, the pods that are there count. */
export function planExpectation({ spec }: PodDisruptionBudget, pods: number, scale: number): Expectation {
  if (spec?.maxUnavailable !== undefined) return { expected: scale, desired: Math.max(0, scale - scaledValue(spec.maxUnavailable, scale, Math.ceil)) };
  if (typeof spec?.minAvailable === "string") return { expected: scale, desired: scaledValue(spec.minAvailable, scale, Math.ceil) };
  return spec?.minAvailable === undefined ? { expected: 0, desired: 0 } : { expected: pods, desired: spec.minAvailable };
}

export interface DisruptedPods {
  readonly disrupted: Record<string, string>;
  /** Pods whose eviction was allowed long ago and that are still there. */
  readonly notDeleted: Pod[];
  /** When the next of them becomes believed to stay. */
  readonly recheckAfterMs: number | undefined;
}

/** The evictions that are still to come about. */
export function planDisrupted(budget: PodDisruptionBudget, pods: readonly Pod[], now: Date): DisruptedPods {
  const disrupted: Record<string, string> = {}, notDeleted: Pod[] = [];
  let recheckAfterMs = Infinity;
  for (const pod of pods) {
    const since = budget.status?.disruptedPods?.[pod.metadata.name], leftMs = (timestampMs(since) ?? 0) + DELETION_TIMEOUT_MS - now.getTime();
    if (since === undefined || isPodTerminating(pod)) continue;
    if (leftMs < 0) { notDeleted.push(pod); continue; }
    disrupted[pod.metadata.name] = since;
    recheckAfterMs = Math.min(recheckAfterMs, leftMs);
  }
  return { disrupted, notDeleted, recheckAfterMs: recheckAfterMs === Infinity ? undefined : recheckAfterMs };
}

export function planBudgetStatus(budget: PodDisruptionBudget, pods: readonly Pod[], { expected, desired }: Expectation, disrupted: Readonly<Record<string, string>>, now: Date): PodDisruptionBudgetStatus {
  const currentHealthy = pods.filter((pod) => !isPodTerminating(pod) && !Object.hasOwn(disrupted, pod.metadata.name) && isPodReady(pod)).length;
  // Without pods nothing is allowed: when the first appear, this status may be all an eviction sees.
  const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, currentHealthy - desired), observedGeneration = budget.metadata.generation ?? 0, old = budget.status?.conditions;
  return {
    currentHealthy, desiredHealthy: desired, expectedPods: expected, disruptionsAllowed, observedGeneration, ...(Object.keys(disrupted).length === 0 ? {} : { disruptedPods: { ...disrupted } }),
    conditions: withCondition(old, disruptionsAllowed > 0 ? "True" : "False", disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods", "", observedGeneration, now),
  };
}

/** When nothing could be worked out, nothing is allowed. */
export function failedStatus({ status }: PodDisruptionBudget, error: Error, now: Date): PodDisruptionBudgetStatus {
  return { ...status, disruptionsAllowed: 0, conditions: withCondition(status?.conditions, "False", "SyncFailed", error.message, status?.observedGeneration ?? 0, now) };
}

function withCondition(conditions: readonly Condition[] = [], status: string, reason: string, message: string, observedGeneration: number, now: Date): Condition[] {
  const type = "DisruptionAllowed", old = conditions.find((condition) => condition.type === type);
  const fresh = { type, status, reason, message, ...(observedGeneration === 0 ? {} : { observedGeneration }), lastTransitionTime: old?.status === status ? old.lastTransitionTime : toTimestamp(now) };
  return old === undefined ? [...conditions, fresh] : conditions.map((condition) => (condition === old ? fresh : condition));
}

/** Milliseconds until the pod's DisruptionTarget condition is to be taken back; undefined when it has none that could be wrong. */
export function untilStaleMs(pod: Pod, now: Date): number | undefined {
  const condition = podCondition(pod, "DisruptionTarget");
  // The kubelet's own may take as long as it likes.
  if (isPodTerminating(pod) || isPodTerminal(pod) || condition?.status !== "True" || condition.reason === "TerminationByKubelet") return undefined;
  return Math.max(0, (timestampMs(condition.lastTransitionTime) ?? 0) + STALE_DISRUPTION_MS - now.getTime());
}
