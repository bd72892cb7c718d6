/** The conditions the kubelet owns on a pod. Pure. Counterpart: kubelet `status/generate.go`; reasons and messages are upstream's. */
import type { ContainerStatus, Pod, PodCondition } from "../api/schema/generated/models.ts";
import { formatTime } from "./container-status.ts";
import { initContainersOf, isSidecar } from "./pod-facts.ts";
import type { PodPhase } from "./pod-phase.ts";

type Verdict = Pick<PodCondition, "status" | "reason" | "message">;

const TRUE: Verdict = { status: "True" };
const goList = (names: readonly string[]): string => `[${names.join(" ")}]`;

function whatIsMissing(unknown: readonly string[], other: readonly string[], word: string): string {
  return [...(unknown.length === 0 ? [] : [`containers with unknown status: ${goList(unknown)}`]), ...(other.length === 0 ? [] : [`containers with ${word} status: ${goList(other)}`])].join(", ");
}

function initialized(pod: Pod, init: readonly ContainerStatus[], statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const unknown: string[] = [], incomplete: string[] = [];
  for (const container of initContainersOf(pod)) {
    const status = init.find((s) => s.name === container.name);
    if (status === undefined) unknown.push(container.name);
    else if (isSidecar(container) ? status.started !== true : !status.ready) incomplete.push(container.name);
  }
  if (phase === "Succeeded" && unknown.length === 0) return { status: "True", reason: "PodCompleted" };
  if (statuses.some((status) => status.state?.running !== undefined || status.state?.terminated !== undefined || status.lastState?.terminated !== undefined)) return TRUE;
  const message = whatIsMissing(unknown, incomplete, "incomplete");
  return message === "" ? TRUE : { status: "False", reason: "ContainersNotInitialized", message };
}

function containersReady(pod: Pod, init: readonly ContainerStatus[], statuses: readonly ContainerStatus[], phase: PodPhase): Verdict {
  const unknown: string[] = [], unready: string[] = [];
  const judge = (name: string, status: ContainerStatus | undefined): void => { if (status === undefined) unknown.push(name); else if (!status.ready) unready.push(name); };
  for (const container of initContainersOf(pod).filter(isSidecar)) judge(container.name, init.find((s) => s.name === container.name));
  for (const container of pod.spec.containers) judge(container.name, statuses.find((s) => s.name === container.name));
  if (phase === "Succeeded" && unknown.length === 0) return { status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { status: "False", reason: "PodFailed" };
  const message = whatIsMissing(unknown, unready, "unready");
  return message === "" ? TRUE : { status: "False", reason: "ContainersNotReady", message };
}

function ready(pod: Pod, containers: Verdict): Verdict {
  if (containers.status !== "True") return containers;
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType);
    if (condition === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`];
    return condition.status === "True" ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`];
  });
  return messages.length === 0 ? TRUE : { status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

/** The kubelet's conditions, in upstream's order; the time of one that did not change stays as it was in `previous`. */
export function podConditions(pod: Pod, init: readonly ContainerStatus[], statuses: readonly ContainerStatus[], phase: PodPhase, sandboxReady: boolean, previous: readonly PodCondition[], nowMs: number): PodCondition[] {
  const containers = containersReady(pod, init, statuses, phase);
  const verdicts: [string, Verdict][] = [
    ["PodReadyToStartContainers", sandboxReady ? TRUE : { status: "False" }], ["Initialized", initialized(pod, init, statuses, phase)],
    ["Ready", ready(pod, containers)], ["ContainersReady", containers], ["PodScheduled", TRUE],
  ];
  return verdicts.map(([type, verdict]) => {
    const old = previous.find((condition) => condition.type === type);
    const generation = pod.metadata.generation;
    return {
      type, ...(generation === undefined ? {} : { observedGeneration: generation }), status: verdict.status,
      lastTransitionTime: old?.status === verdict.status && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(nowMs),
      ...(verdict.reason === undefined ? {} : { reason: verdict.reason }), ...(verdict.message === undefined ? {} : { message: verdict.message }),
    };
  });
}
