/**
 * The status of one container as the API shows it. Pure.
 * Counterpart: kubelet `kubelet_pods.go` convertToAPIContainerStatuses.
 */
import { toTimestamp } from "../api/helpers/timestamps.ts";
import type { Container, ContainerState, ContainerStateWaiting, ContainerStatus, Pod, ResourceRequirements } from "../api/schema/generated/models.ts";
import { findContainer, isSidecar, restartsAfter } from "./pod-facts.ts";
import type { PodRuntimeStatus, RuntimeContainer } from "./runtime-status.ts";

/** Everything beside the runtime's word that a status shows. */
export interface StatusInputs {
  /** Ids of containers whose readiness probe is content, or that have none and run. */
  readonly ready: ReadonlySet<string>;
  readonly started: ReadonlySet<string>;
  /** Why a container is not running although it should be, by name. */
  readonly waiting: ReadonlyMap<string, ContainerStateWaiting>;
  /** What running containers were given, by id; the spec's where it is not known. */
  readonly resources: ReadonlyMap<string, ResourceRequirements>;
}

export const formatTime = (ms: number): string => toTimestamp(new Date(ms));
const containerId = (run: RuntimeContainer): string => `containerd://${run.id}`;

const EXIT_REASONS: Record<string, string> = { StartError: "StartError", OOMKilled: "OOMKilled" };

function terminated(run: RuntimeContainer): ContainerState {
  const reason = EXIT_REASONS[run.reason] ?? (run.exitCode === 0 ? "Completed" : run.reason === "" || run.reason === "Completed" ? "Error" : run.reason);
  return {
    terminated: {
      exitCode: run.exitCode, reason, ...(run.message === "" ? {} : { message: run.message }),
      startedAt: formatTime(run.startedAtMs), finishedAt: formatTime(run.finishedAtMs), containerID: containerId(run),
    },
  };
}

function volumeMounts(container: Container): Pick<ContainerStatus, "volumeMounts"> {
  if (container.volumeMounts === undefined || container.volumeMounts.length === 0) return {};
  return { volumeMounts: container.volumeMounts.map((mount) => ({ name: mount.name, mountPath: mount.mountPath, ...(mount.readOnly === true ? { readOnly: true, recursiveReadOnly: "Disabled" } : {}) })) };
}

function resources({ requests, limits }: ResourceRequirements): Pick<ContainerStatus, "resources" | "allocatedResources"> {
  return {
    resources: { ...(limits === undefined ? {} : { limits }), ...(requests === undefined ? {} : { requests }) },
    ...(requests === undefined ? {} : { allocatedResources: requests }),
  };
}

/** A container that the API says ran here, but of which the runtime knows nothing any more. */
function lost(previous: ContainerStatus): ContainerState | undefined {
  if (previous.state?.terminated !== undefined) return previous.state;
  if (previous.state?.running === undefined) return undefined;
  return {
    terminated: {
      exitCode: 137, reason: "ContainerStatusUnknown",
      message: "The container could not be located when the pod was terminated", ...(previous.containerID === undefined ? {} : { containerID: previous.containerID }),
    },
  };
}

function waitingStatus(container: Container, hasInit: boolean, why: ContainerStateWaiting | undefined, previous: ContainerStatus | undefined, latest: RuntimeContainer | undefined): ContainerStatus {
  const lastState = latest?.state === "exited" ? terminated(latest) : previous === undefined ? undefined : lost(previous) ?? previous.lastState;
  return {
    name: container.name, image: previous?.image ?? container.image ?? "", imageID: latest?.imageId ?? previous?.imageID ?? "", ready: false, started: false,
    restartCount: latest?.attempt ?? previous?.restartCount ?? 0, state: { waiting: why ?? { reason: hasInit ? "PodInitializing" : "ContainerCreating" } },
    lastState: lastState ?? {}, ...(latest === undefined ? {} : { containerID: containerId(latest) }), ...volumeMounts(container),
  };
}

/** Builds the status of `container`, whose runs (newest first) are among `runtime`'s. */
export function containerStatus(pod: Pod, container: Container, runtime: PodRuntimeStatus, inputs: StatusInputs, hasInit: boolean, previous: ContainerStatus | undefined, ending: boolean): ContainerStatus {
  const [latest, before] = runtime.containers.filter((run) => run.name === container.name);
  const why = inputs.waiting.get(container.name);
  if (latest === undefined) {
    const gone = previous === undefined || why !== undefined || !ending ? undefined : lost(previous);
    if (gone !== undefined) return { ...previous!, ready: false, started: false, state: gone, lastState: previous!.state?.running === undefined ? previous!.lastState : {} };
    return waitingStatus(container, hasInit, why, previous, undefined);
  }
  const willRestart = !ending && (latest.state === "exited" ? isSidecar(container) || restartsAfter(pod, container, latest.exitCode) : latest.state === "created");
  if (latest.state === "created" || (why !== undefined && willRestart)) return waitingStatus(container, hasInit, why, previous, latest.state === "created" ? before : latest);
  const running = latest.state === "running" || latest.state === "unknown";
  // Neither an init container that runs nor an ephemeral one is ever ready.
  const init = isOrdinaryInit(pod, container), unready = init || isEphemeral(pod, container), finishedInit = init && latest.state === "exited" && latest.exitCode === 0;
  return {
    name: container.name, image: displayImage(container, latest), imageID: latest.imageId, containerID: containerId(latest), restartCount: latest.attempt,
    ready: running ? !unready && inputs.ready.has(latest.id) && inputs.started.has(latest.id) : finishedInit, started: running && inputs.started.has(latest.id),
    state: running ? { running: { startedAt: formatTime(latest.startedAtMs) } } : terminated(latest),
    lastState: before?.state === "exited" ? terminated(before) : previous?.lastState?.terminated !== undefined && latest.attempt > 0 ? previous.lastState : {},
    ...resources(inputs.resources.get(latest.id) ?? container.resources ?? {}), ...volumeMounts(container),
  };
}

const isOrdinaryInit = (pod: Pod, container: Container): boolean => (pod.spec.initContainers ?? []).includes(container) && !isSidecar(container);

const isEphemeral = (pod: Pod, container: Container): boolean => pod.spec.ephemeralContainers?.some((ephemeral) => ephemeral.name === container.name) === true;

/** The runtime's name of the image, unless it only knows the id. */
const displayImage = (container: Container, run: RuntimeContainer): string => (run.image === "" || run.image.startsWith("sha256:") ? container.image ?? "" : run.image);

export const specOf = (pod: Pod, name: string): Container | undefined => findContainer(pod, name);
