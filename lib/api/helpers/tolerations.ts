/** Taints and the tolerations that answer them. Counterpart: component-helpers `scheduling/corev1` and `api/core/v1/toleration.go`. */
import type { Taint, Toleration } from "../schema/generated/models.ts";

const INTEGER = /^-?(0|[1-9][0-9]{0,18})$/;

/** Whether one toleration answers one taint: empty effect means every effect, empty key with Exists every taint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== "" && toleration.effect !== taint.effect) return false;
  if (toleration.key !== undefined && toleration.key !== "" && toleration.key !== taint.key) return false;
  switch (toleration.operator) {
    case undefined: case "": case "Equal": return (toleration.value ?? "") === (taint.value ?? "");
    case "Exists": return true;
    case "Lt": case "Gt": {
      const wanted = toleration.value ?? "", actual = taint.value ?? "";
      if (!INTEGER.test(wanted) || !INTEGER.test(actual)) return false;
      return toleration.operator === "Lt" ? BigInt(actual) < BigInt(wanted) : BigInt(actual) > BigInt(wanted);
    }
    default: return false;
  }
}

export const toleratesTaint = (tolerations: readonly Toleration[] | undefined, taint: Taint): boolean => tolerations?.some((toleration) => tolerates(toleration, taint)) === true;

/** The first of the taints that `counts` and no toleration answers. */
export const findUntoleratedTaint = (taints: readonly Taint[] | undefined, tolerations: readonly Toleration[] | undefined, counts: (taint: Taint) => boolean): Taint | undefined =>
  taints?.find((taint) => counts(taint) && !toleratesTaint(tolerations, taint));

/** Taints that keep a pod away or drive it out, as against those that only discourage. */
export const forbidsScheduling = (taint: Taint): boolean => taint.effect === "NoSchedule" || taint.effect === "NoExecute";
export const evicts = (taint: Taint): boolean => taint.effect === "NoExecute";
export const discourages = (taint: Taint): boolean => taint.effect === "PreferNoSchedule";
