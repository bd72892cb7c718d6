/** The phase of a pod from its containers' statuses. Pure. Counterpart: kubelet `kubelet_pods.go` getPhase. */
import type { ContainerStatus, Pod } from "../api/schema/generated/models.ts";
import { initContainersOf, isSidecar, isTerminalPhase, restartsAfter } from "./pod-facts.ts";

export type PodPhase = "Pending" | "Running" | "Succeeded" | "Failed";

const byName = (statuses: readonly ContainerStatus[], name: string): ContainerStatus | undefined => statuses.find((status) => status.name === name);

/** Whether an init container has failed for good, is done, or is still to come. */
function initState(pod: Pod, statuses: readonly ContainerStatus[]): "failed" | "pending" | "done" {
  for (const container of initContainersOf(pod)) {
    const status = byName(statuses, container.name);
    if (isSidecar(container)) { if (status?.started !== true) return "pending"; continue; }
    const ended = status?.state?.terminated;
    if (ended !== undefined && ended.exitCode === 0) continue;
    if (ended !== undefined && !restartsAfter(pod, container, ended.exitCode)) return "failed";
    return "pending";
  }
  return "done";
}

/** A phase once Succeeded or Failed stays so. */
export function podPhase(pod: Pod, initStatuses: readonly ContainerStatus[], statuses: readonly ContainerStatus[], everythingStopped: boolean): PodPhase {
  const current = pod.status?.phase;
  if (isTerminalPhase(current)) return current as PodPhase;
  const hasRun = pod.spec.containers.some((container) => { const status = byName(statuses, container.name); return status?.state?.running !== undefined || status?.state?.terminated !== undefined || status?.lastState?.terminated !== undefined; });
  const init = initState(pod, initStatuses);
  if (!hasRun && init === "failed") return everythingStopped ? "Failed" : "Pending";
  if (!hasRun && init === "pending") return "Pending";
  let running = 0, waiting = 0, ended = 0, failed = 0, again = 0;
  for (const container of pod.spec.containers) {
    const status = byName(statuses, container.name), exit = status?.state?.terminated;
    if (status?.state?.running !== undefined) running++;
    else if (exit !== undefined) {
      ended++;
      if (restartsAfter(pod, container, exit.exitCode)) again++;
      else if (exit.exitCode !== 0) failed++;
    } else if (status?.lastState?.terminated !== undefined) { ended++; again++; } // Waiting to run again.
    else waiting++;
  }
  if (waiting > 0) return "Pending";
  if (running > 0 || again > 0) return "Running";
  if (ended === 0) return "Pending";
  const sidecarsLeft = initStatuses.some((status) => status.state?.running !== undefined);
  if (sidecarsLeft && !everythingStopped) return "Running";
  return failed > 0 ? "Failed" : "Succeeded";
}
