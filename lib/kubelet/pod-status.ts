/** A pod's whole status from its spec and what the runtime says. Pure. Counterpart: kubelet `kubelet_pods.go` generateAPIPodStatus. */
import { podQos } from "../api/helpers/pod-qos.ts";
import type { Container, ContainerStatus, Pod, PodStatus } from "../api/schema/generated/models.ts";
import { containerStatus, formatTime, type StatusInputs } from "./container-status.ts";
import { podConditions } from "./pod-conditions.ts";
import { initContainersOf, isTerminalPhase } from "./pod-facts.ts";
import { podPhase } from "./pod-phase.ts";
import type { PodMemory } from "./plan-pod.ts";
import { sandboxChanged } from "./plan-pod.ts";
import type { PodRuntimeStatus } from "./runtime-status.ts";

export interface PodStatusInputs extends StatusInputs {
  readonly hostIPs: readonly string[];
  readonly ended: PodMemory["ended"];
  /** The status last written, which knows more than what has come back from the API server. */
  readonly previous: PodStatus | undefined;
}

/** Builds the status; `pod.status` supplies what others wrote. */
export function buildPodStatus(pod: Pod, runtime: PodRuntimeStatus, inputs: PodStatusInputs, nowMs: number): PodStatus {
  const previous = inputs.previous ?? pod.status ?? {};
  const stopped = runtime.containers.every((run) => run.state === "exited");
  const ending = pod.metadata.deletionTimestamp !== undefined || inputs.ended !== undefined || isTerminalPhase(previous.phase);
  const hasInit = initContainersOf(pod).length > 0;
  const statusesOf = (containers: readonly Container[], old: readonly ContainerStatus[] | undefined): ContainerStatus[] =>
    containers.map((container) => containerStatus(pod, container, runtime, inputs, hasInit, old?.find((status) => status.name === container.name), ending));
  const init = statusesOf(initContainersOf(pod), previous.initContainerStatuses);
  const containers = statusesOf(pod.spec.containers, previous.containerStatuses);
  const ephemeral = statusesOf((pod.spec.ephemeralContainers ?? []) as Container[], previous.ephemeralContainerStatuses);
  const known = { ...pod, status: { ...pod.status, ...(previous.phase === undefined ? {} : { phase: previous.phase }) } };
  const phase = inputs.ended !== undefined ? "Failed" : podPhase(known, init, containers, stopped);
  const { changed, sandbox } = sandboxChanged(pod, runtime);
  const ips = pod.spec.hostNetwork === true ? inputs.hostIPs : sandbox?.ips.length ? sandbox.ips : (previous.podIPs ?? []).map(({ ip }) => ip);
  // A pod is told to have ended only when nothing of it runs; that it is no longer ready is told at once.
  const held = isTerminalPhase(phase) && !stopped && !isTerminalPhase(previous.phase);
  const reason = held ? previous.reason : inputs.ended?.reason ?? previous.reason, message = held ? previous.message : inputs.ended?.message ?? previous.message;
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase: held ? previous.phase ?? "Pending" : phase, conditions: podConditions(known, init, containers, phase, !changed, [...(previous.conditions ?? []), ...(pod.status?.conditions ?? [])], nowMs),
    ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }),
    ...(inputs.hostIPs[0] === undefined ? {} : { hostIP: inputs.hostIPs[0], hostIPs: inputs.hostIPs.map((ip) => ({ ip })) }),
    ...(ips[0] === undefined ? {} : { podIP: ips[0], podIPs: ips.map((ip) => ({ ip })) }),
    startTime: previous.startTime ?? formatTime(nowMs), qosClass: podQos(pod),
    ...(hasInit ? { initContainerStatuses: init } : {}), containerStatuses: containers, ...(ephemeral.length === 0 ? {} : { ephemeralContainerStatuses: ephemeral }),
  };
}
