/**
 * Reads what the runtime knows: of one pod in full, of all pods at a glance.
 *
 * Guarantees: the status of a container that has ended is asked for once (it cannot change); what vanishes between two calls is left out.
 * Counterpart: kubelet `kuberuntime` GetPodStatus and GetPods.
 */
import { open } from "node:fs/promises";
import { CriCode, isCriCode } from "../cri/error.ts";
import type { Cri } from "../cri/client.ts";
import type { CriMessage } from "../cri/messages.ts";
import { ANNOTATION, LABEL } from "./labels.ts";
import { emptyRuntimeStatus, type PodRuntimeStatus, type RuntimeContainer, type RuntimeSandbox, type RuntimeState } from "./runtime-status.ts";

const STATES: Record<CriMessage<"Container">["state"], RuntimeState> = { CONTAINER_CREATED: "created", CONTAINER_RUNNING: "running", CONTAINER_EXITED: "exited", CONTAINER_UNKNOWN: "unknown" };
const NS_PER_MS = 1_000_000, TERMINATION_MESSAGE_MAX_BYTES = 4_096, FALLBACK_LOG_MAX_BYTES = 2_048, FALLBACK_LOG_MAX_LINES = 80, ENDED_CACHE_MAX = 4_096;

/** What tells one state of a pod from another without asking for details. */
export interface PodGlance { readonly uid: string; readonly name: string; readonly namespace: string; readonly node: string | undefined; readonly fingerprint: string; readonly sandboxIds: readonly string[]; readonly running: boolean }

export class RuntimeReader {
  readonly #cri: Cri;
  readonly #ended = new Map<string, RuntimeContainer>();

  constructor(cri: Cri) { this.#cri = cri; }

  /** Everything the runtime knows of the pod with `uid`. */
  async readPod(uid: string, namespace: string, name: string): Promise<PodRuntimeStatus> {
    const labelSelector = { [LABEL.podUid]: uid };
    const [sandboxes, containers] = await Promise.all([
      this.#cri.call("ListPodSandbox", { filter: { labelSelector } }), this.#cri.call("ListContainers", { filter: { labelSelector } }),
    ]);
    if (sandboxes.items.length === 0 && containers.containers.length === 0) return emptyRuntimeStatus(uid, namespace, name);
    const [readSandboxes, readContainers] = await Promise.all([
      Promise.all(sandboxes.items.map((sandbox) => this.#readSandbox(sandbox))), Promise.all(containers.containers.map((container) => this.#readContainer(container))),
    ]);
    return {
      uid, namespace, name,
      sandboxes: readSandboxes.filter((sandbox) => sandbox !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs),
      containers: readContainers.filter((container) => container !== undefined).sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    };
  }

  /** All pods the runtime knows, by uid, cheaply: two calls. */
  async glance(): Promise<Map<string, PodGlance>> {
    const [sandboxes, containers] = await Promise.all([this.#cri.call("ListPodSandbox", {}), this.#cri.call("ListContainers", {})]);
    const parts = new Map<string, { labels: Record<string, string>; states: string[]; sandboxIds: string[]; running: boolean }>();
    const add = (labels: Record<string, string>, state: string, running: boolean, sandboxId?: string): void => {
      const uid = labels[LABEL.podUid];
      if (uid === undefined) return;
      const part = parts.get(uid) ?? { labels, states: [], sandboxIds: [], running: false };
      part.states.push(state);
      part.running ||= running;
      if (sandboxId !== undefined) part.sandboxIds.push(sandboxId);
      parts.set(uid, part);
    };
    for (const sandbox of sandboxes.items) add(sandbox.labels, `${sandbox.id}=${sandbox.state}`, sandbox.state === "SANDBOX_READY", sandbox.id);
    for (const container of containers.containers) add(container.labels, `${container.id}=${container.state}`, container.state === "CONTAINER_RUNNING");
    return new Map([...parts].map(([uid, { labels, states, sandboxIds, running }]) => [uid, {
      uid, name: labels[LABEL.podName] ?? "", namespace: labels[LABEL.podNamespace] ?? "", node: labels[LABEL.node], fingerprint: states.sort().join(" "), sandboxIds, running,
    }]));
  }

  async #readSandbox(sandbox: CriMessage<"PodSandbox">): Promise<RuntimeSandbox | undefined> {
    const status = await orGone(this.#cri.call("PodSandboxStatus", { podSandboxId: sandbox.id }));
    if (status?.status === undefined || status.status === null) return undefined;
    const hostNetwork = status.status.linux?.namespaces?.options?.network === "NODE";
    const network = status.status.network;
    const ips = hostNetwork || network === null ? [] : [network.ip, ...network.additionalIps.map((address) => address.ip)].filter((ip) => ip !== "");
    return { id: sandbox.id, attempt: sandbox.metadata?.attempt ?? 0, ready: status.status.state === "SANDBOX_READY", createdAtMs: sandbox.createdAt / NS_PER_MS, ips, hostNetwork };
  }

  async #readContainer(container: CriMessage<"Container">): Promise<RuntimeContainer | undefined> {
    const known = this.#ended.get(container.id);
    if (known !== undefined) return known;
    const response = await orGone(this.#cri.call("ContainerStatus", { containerId: container.id }));
    const status = response?.status;
    if (status === undefined || status === null) return undefined;
    const state = STATES[status.state];
    const result: RuntimeContainer = {
      id: container.id, sandboxId: container.podSandboxId, name: status.labels[LABEL.containerName] ?? status.metadata?.name ?? "", state,
      attempt: Number(status.annotations[ANNOTATION.restartCount] ?? status.metadata?.attempt ?? 0),
      createdAtMs: status.createdAt / NS_PER_MS, startedAtMs: status.startedAt / NS_PER_MS, finishedAtMs: status.finishedAt / NS_PER_MS,
      exitCode: status.exitCode, reason: status.reason, message: state === "exited" ? await terminationMessage(status) : status.message,
      image: status.image?.image ?? "", imageId: status.imageRef, hash: status.annotations[ANNOTATION.hash] ?? "", logPath: status.logPath,
    };
    if (state === "exited") {
      if (this.#ended.size >= ENDED_CACHE_MAX) this.#ended.clear();
      this.#ended.set(container.id, result);
    }
    return result;
  }
}

async function orGone<T>(call: Promise<T>): Promise<T | undefined> {
  try { return await call; } catch (error) { if (isCriCode(error, CriCode.NOT_FOUND)) return undefined; throw error; }
}

/** The termination message file, or the end of the log where the policy asks for it, or the runtime's own message. */
async function terminationMessage(status: CriMessage<"ContainerStatus">): Promise<string> {
  const wanted = status.annotations[ANNOTATION.terminationMessagePath] ?? "";
  const mount = status.mounts.find((m) => m.containerPath === wanted);
  const written = mount === undefined ? "" : await readEnd(mount.hostPath, TERMINATION_MESSAGE_MAX_BYTES, "start");
  if (written !== "") return written;
  if (status.annotations[ANNOTATION.terminationMessagePolicy] === "FallbackToLogsOnError" && status.exitCode !== 0 && status.logPath !== "") {
    const lines = (await readEnd(status.logPath, FALLBACK_LOG_MAX_BYTES * 2, "end")).split("\n").map((line) => line.replace(/^\S+ (?:stdout|stderr) [FP] /, ""));
    return lines.slice(-FALLBACK_LOG_MAX_LINES).join("\n").slice(-FALLBACK_LOG_MAX_BYTES);
  }
  return status.message;
}

async function readEnd(file: string, maxBytes: number, which: "start" | "end"): Promise<string> {
  try {
    await using handle = await open(file, "r");
    const { size } = await handle.stat(), length = Math.min(size, maxBytes);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(length), position: which === "start" ? 0 : size - length });
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "" : `Error on reading termination log ${file}: ${(error as Error).message}`;
  }
}
