/**
 * What the container runtime says of one pod: the only truth about what runs. Read from CRI's listings by label, never kept in files.
 * Counterpart: kubelet `container.PodStatus`.
 */
export type RuntimeState = "created" | "running" | "exited" | "unknown";

export interface RuntimeContainer {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  /** 0 for the first run. */
  readonly attempt: number;
  readonly state: RuntimeState;
  readonly createdAtMs: number;
  /** 0 while it has not started, and so for the next. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  /** The termination message, or the runtime's. */
  readonly message: string;
  readonly image: string;
  readonly imageId: string;
  readonly hash: string;
  readonly logPath: string;
}
export interface RuntimeSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Empty with the host's network. */
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
}
export interface PodRuntimeStatus {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Newest first. */
  readonly sandboxes: readonly RuntimeSandbox[];
  /** Newest first. */
  readonly containers: readonly RuntimeContainer[];
}

export const emptyRuntimeStatus = (uid: string, namespace: string, name: string): PodRuntimeStatus => ({ uid, namespace, name, sandboxes: [], containers: [] });

/** The newest run of a container. */
export const latestOf = (runtime: PodRuntimeStatus, name: string): RuntimeContainer | undefined => runtime.containers.find((container) => container.name === name);

export const isLive = (container: RuntimeContainer): boolean => container.state === "running" || container.state === "unknown";
