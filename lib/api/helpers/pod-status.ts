/** What a pod's status says. Counterpart: kubernetes `pkg/api/v1/pod/util.go` and `pkg/controller/controller_utils.go`. */
import type { Pod, PodCondition } from "../schema/generated/models.ts";
import { timestampMs } from "./timestamps.ts";

export const podCondition = (pod: Pod, type: string): PodCondition | undefined => pod.status?.conditions?.find((c) => c.type === type);

export const isPodReady = (pod: Pod): boolean => podCondition(pod, "Ready")?.status === "True";

/** Succeeded or Failed: it never runs again. */
export const isPodTerminal = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

export const isPodTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Counts as a replica: neither finished nor on its way out. */
export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && !isPodTerminating(pod);

/** Milliseconds until a ready pod has been so for `minReadySeconds`; 0 when it has; undefined when it is not ready. */
export function untilPodAvailableMs(pod: Pod, minReadySeconds: number, now: Date): number | undefined {
  const ready = podCondition(pod, "Ready");
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = timestampMs(ready.lastTransitionTime);
  return sinceMs === undefined ? undefined : Math.max(0, sinceMs + minReadySeconds * 1_000 - now.getTime());
}

export const isPodAvailable = (pod: Pod, minReadySeconds: number, now: Date): boolean => untilPodAvailableMs(pod, minReadySeconds, now) === 0;
