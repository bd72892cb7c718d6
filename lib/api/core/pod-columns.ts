/** The row of a pod: what it does, in one word, and how often it was restarted. Counterpart: `printPod` in kubernetes `printers/internalversion`. */
import { ageColumn, column, nameColumn, orNone } from "../columns.ts";
import { ageSince } from "../helpers/human-duration.ts";
import { isSidecar } from "../helpers/pod-resources.ts";
import type { Column } from "../resource-definition.ts";
import type { ContainerStateTerminated, ContainerStatus, Pod, PodStatus } from "../schema/generated/models.ts";

interface Summary { readonly ready: number; readonly total: number; readonly reason: string; readonly restarts: number; readonly lastRestart: string | undefined }
interface Restarts { count: number; last: string | undefined }

const isTrue = (status: PodStatus, type: string): boolean => status.conditions?.find((condition) => condition.type === type)?.status === "True";

function countRestarts(restarts: Restarts, container: ContainerStatus): void {
  restarts.count += container.restartCount ?? 0;
  const finishedAt = container.lastState?.terminated?.finishedAt;
  if (finishedAt !== undefined && (restarts.last === undefined || Date.parse(restarts.last) < Date.parse(finishedAt))) restarts.last = finishedAt;
}

function endReason(terminated: ContainerStateTerminated): string {
  if ((terminated.reason ?? "") !== "") return terminated.reason!;
  return (terminated.signal ?? 0) !== 0 ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

interface InitSummary { /** undefined: all init containers are done. */ readonly reason: string | undefined; readonly ready: number; readonly all: Restarts; readonly sidecars: Restarts }

function summarizeInit(pod: Pod, status: PodStatus): InitSummary {
  const specs = new Map((pod.spec?.initContainers ?? []).map((container) => [container.name, container]));
  const all: Restarts = { count: 0, last: undefined }, sidecars: Restarts = { count: 0, last: undefined };
  let ready = 0;
  for (const [i, container] of (status.initContainerStatuses ?? []).entries()) {
    const spec = specs.get(container.name), sidecar = spec !== undefined && isSidecar(spec), { terminated, waiting } = container.state ?? {};
    countRestarts(all, container);
    if (sidecar) countRestarts(sidecars, container);
    if (terminated !== undefined && terminated.exitCode === 0) continue;
    if (sidecar && container.started === true) {
      if (container.ready) ready++;
      continue;
    }
    const waits = waiting?.reason ?? "";
    const reason = terminated !== undefined ? endReason(terminated) : waits !== "" && waits !== "PodInitializing" ? waits : `${i}/${specs.size}`;
    return { reason: `Init:${reason}`, ready, all, sidecars };
  }
  return { reason: undefined, ready, all, sidecars };
}

/** The word kubectl shows under STATUS, and the numbers beside it. */
export function summarizePod(pod: Pod): Summary {
  const status = pod.status ?? {};
  let reason = (status.reason ?? "") !== "" ? status.reason! : (status.phase ?? "");
  if (status.conditions?.some((condition) => condition.type === "PodScheduled" && condition.reason === "SchedulingGated") === true) reason = "SchedulingGated";
  const init = summarizeInit(pod, status);
  reason = init.reason ?? reason;
  let { ready } = init, restarts = init.all;
  if (init.reason === undefined || isTrue(status, "Initialized")) {
    restarts = init.sidecars;
    const main = summarizeContainers(status, restarts, reason);
    reason = main.reason;
    ready += main.ready;
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === "NodeLost") reason = "Unknown";
    else if (status.phase !== "Succeeded" && status.phase !== "Failed") reason = "Terminating";
  }
  const total = (pod.spec?.containers ?? []).length + (pod.spec?.initContainers ?? []).filter(isSidecar).length;
  return { ready, total, reason, restarts: restarts.count, lastRestart: restarts.last };
}

/** The first container that waits or ended gives the word; a pod that still serves says so. */
function summarizeContainers(status: PodStatus, restarts: Restarts, before: string): { reason: string; ready: number } {
  let reason = before, ready = 0, hasRunning = false, failure = "";
  for (const container of (status.containerStatuses ?? []).toReversed()) {
    const { waiting, terminated, running } = container.state ?? {};
    countRestarts(restarts, container);
    if (waiting !== undefined && (waiting.reason ?? "") !== "") reason = waiting.reason!;
    else if (terminated !== undefined) {
      reason = endReason(terminated);
      if (terminated.exitCode !== 0) failure = reason;
    } else if (container.ready && running !== undefined) {
      hasRunning = true;
      ready++;
    }
  }
  if (reason !== "Completed") return { reason, ready };
  if (hasRunning && isTrue(status, "Ready")) reason = "Running";
  else if (failure !== "") reason = failure;
  else if (hasRunning) reason = "NotReady";
  return { reason, ready };
}

function readinessGates(pod: Pod): string {
  const gates = pod.spec?.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter((gate) => isTrue(pod.status ?? {}, gate.conditionType)).length;
  return `${met}/${gates.length}`;
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  column("Ready", (pod) => {
    const { ready, total } = summarizePod(pod);
    return `${ready}/${total}`;
  }, { description: "The aggregate readiness state of this pod for accepting traffic." }),
  column("Status", (pod) => summarizePod(pod).reason, { description: "The aggregate status of the containers in this pod." }),
  column("Restarts", (pod, now) => {
    const { restarts, lastRestart } = summarizePod(pod);
    return restarts === 0 || lastRestart === undefined ? String(restarts) : `${restarts} (${ageSince(lastRestart, now)} ago)`;
  }, { description: "The number of times the containers in this pod have been restarted and when the last container in this pod has restarted." }),
  ageColumn,
  column("IP", (pod) => orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP), { wide: true, description: "The primary address of the pod." }),
  column("Node", (pod) => orNone(pod.spec?.nodeName), { wide: true, description: "The node the pod is bound to." }),
  column("Nominated Node", (pod) => orNone(pod.status?.nominatedNodeName), { wide: true, description: "The node the pod is nominated to run on once others have made room." }),
  column("Readiness Gates", readinessGates, { wide: true, description: "How many of the pod's readiness gates are met." }),
];
