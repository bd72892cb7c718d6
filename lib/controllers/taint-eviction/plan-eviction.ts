/** When the NoExecute taints of its node drive a pod out. Pure. Counterpart: kubernetes `pkg/controller/tainteviction`. */
import { evicts, tolerates } from "../../api/helpers/tolerations.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import type { Pod, Taint } from "../../api/schema/generated/models.ts";

/**
 * Milliseconds since the epoch at which the pod must go; undefined: never. A taint counts from when it was put on, so a restart of the
 * controller gives no new time. A taint without a time counts from now.
 */
export function evictionDueMs(pod: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  let dueMs: number | undefined;
  for (const taint of taints.filter(evicts)) {
    const matching = (pod.spec.tolerations ?? []).filter((t) => tolerates(t, taint));
    if (matching.length === 0) return nowMs;
    const seconds = matching.map((t) => t.tolerationSeconds).filter((s) => s !== undefined);
    if (seconds.length === 0) continue;
    // The API's times have whole seconds, cut off: nobody goes before the time promised.
    const sinceMs = Math.min((timestampMs(taint.timeAdded) ?? nowMs) + 999, nowMs);
    dueMs = Math.min(dueMs ?? Number.POSITIVE_INFINITY, sinceMs + Math.max(0, Math.min(...seconds)) * 1_000);
  }
  return dueMs;
}
