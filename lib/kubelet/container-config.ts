/** A container in CRI's words: pure assembly of what the worker has prepared. Counterpart: kubelet `kuberuntime_container.go` generateContainerConfig. */
import type { Container, Pod, VolumeMount } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { linuxResources } from "./container-resources.ts";
import { expand } from "./expand.ts";
import { containerAnnotations, containerLabels } from "./labels.ts";
import { containerSecurityContext } from "./security-context.ts";

export interface ContainerInputs {
  readonly pod: Pod;
  readonly container: Container;
  readonly attempt: number;
  /** The image's id as the runtime knows it. */
  readonly imageRef: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly CriInput<"Mount">[];
  readonly nodeName: string;
  readonly memoryCapacityBytes: number;
  readonly seccompRoot: string;
  /** The container whose processes this one sees, for ephemeral containers. */
  readonly targetId?: string | undefined;
}

const PROPAGATION = { None: "PROPAGATION_PRIVATE", HostToContainer: "PROPAGATION_HOST_TO_CONTAINER", Bidirectional: "PROPAGATION_BIDIRECTIONAL" } as const;

/** One mount of a volume; `isReadOnly`: whoever mounts it. */
export function volumeMount(mount: VolumeMount, hostPath: string, isReadOnly: boolean): CriInput<"Mount"> {
  return {
    containerPath: mount.mountPath.startsWith("/") ? mount.mountPath : `/${mount.mountPath}`, hostPath, readonly: isReadOnly || mount.readOnly === true,
    propagation: PROPAGATION[(mount.mountPropagation ?? "None") as keyof typeof PROPAGATION] ?? "PROPAGATION_PRIVATE",
  };
}

/** Relative to the sandbox's log directory. */
export const containerLogPath = (container: string, attempt: number): string => `${container}/${attempt}.log`;

export function containerConfig(inputs: ContainerInputs): CriInput<"ContainerConfig"> {
  const { pod, container, attempt, environment } = inputs;
  const signal = container.lifecycle?.stopSignal;
  return {
    metadata: { name: container.name, attempt }, image: { image: inputs.imageRef, userSpecifiedImage: container.image ?? "" },
    command: (container.command ?? []).map((word) => expand(word, environment)), args: (container.args ?? []).map((word) => expand(word, environment)),
    workingDir: container.workingDir ?? "", envs: [...environment].map(([key, value]) => ({ key, value: Buffer.from(value) })), mounts: inputs.mounts,
    labels: containerLabels(pod, container, inputs.nodeName), annotations: containerAnnotations(pod, container, attempt),
    logPath: containerLogPath(container.name, attempt), stdin: container.stdin ?? false, stdinOnce: container.stdinOnce ?? false, tty: container.tty ?? false,
    linux: { resources: linuxResources(pod, container, inputs.memoryCapacityBytes), securityContext: containerSecurityContext(pod, container, inputs.seccompRoot, inputs.targetId) },
    ...(signal === undefined ? {} : { stopSignal: `SIGNAL_${signal.replaceAll("+", "PLUS").replaceAll(/-(?=\d)/g, "MINUS")}` }),
  };
}
