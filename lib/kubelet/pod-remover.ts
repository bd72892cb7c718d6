/** Takes away what an ended pod leaves: volumes, control group, sandboxes, and last the API object. Counterpart: kubelet SyncTerminatedPod and `status_manager` final delete. */
import { rm } from "node:fs/promises";
import { hasReason } from "../api/status-error.ts";
import { pods } from "../api/schema/generated/references.ts";
import type { Pod } from "../api/schema/generated/models.ts";
import type { Client } from "../client/client.ts";
import type { Cri } from "../cri/client.ts";
import type { CgroupName } from "../host/cgroup-name.ts";
import type { Cgroups } from "../host/cgroups.ts";
import type { NodeSettings } from "./node-context.ts";
import { isStaticPod, namespaceOf, uidOf } from "./pod-facts.ts";
import type { PodRuntimeStatus } from "./runtime-status.ts";
import { containerLogLink, podLogDirectory } from "./sandbox-config.ts";
import { ignoreGone } from "./stop-pod.ts";
import type { TokenManager } from "./volumes/token-manager.ts";
import type { VolumeManager } from "./volumes/volume-manager.ts";

export class PodRemover {
  readonly #deps: { client: Client; cri: Cri; cgroups: Cgroups; volumes: VolumeManager; tokens: TokenManager; release: (uid: string) => void };
  constructor(deps: { client: Client; cri: Cri; cgroups: Cgroups; volumes: VolumeManager; tokens: TokenManager; release: (uid: string) => void }) { this.#deps = deps; }

  /** Volumes and control group. Throws while something is busy, to be tried again. */
  async clean(pod: Pick<Pod, "metadata">, cgroup: CgroupName): Promise<void> {
    const uid = uidOf(pod as Pod);
    await this.#deps.volumes.tearDown(uid);
    this.#deps.tokens.forget(uid);
    this.#deps.release(uid);
    await this.#deps.cgroups.remove(cgroup);
  }

  /** Deletes exactly this pod's object, for good. */
  async deleteObject(pod: Pod, signal: AbortSignal): Promise<void> {
    if (isStaticPod(pod)) return;
    try { await this.#deps.client.delete(pods, { namespace: namespaceOf(pod), name: pod.metadata.name }, { gracePeriodSeconds: 0, preconditions: { uid: uidOf(pod) } }, signal); }
    catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; } // Gone, or the name is another pod's already.
  }

  /** Removes sandboxes with their containers, logs and links to logs. */
  async removeSandboxes(pod: Pod, runtime: PodRuntimeStatus, settings: NodeSettings): Promise<void> {
    for (const container of runtime.containers) await rm(containerLogLink(settings.containerLogRoot, pod, container.name, container.id), { force: true });
    await rm(podLogDirectory(settings.logRoot, pod), { recursive: true, force: true });
    for (const container of runtime.containers) await ignoreGone(this.#deps.cri.call("RemoveContainer", { containerId: container.id }));
    for (const sandbox of runtime.sandboxes) await ignoreGone(this.#deps.cri.call("RemovePodSandbox", { podSandboxId: sandbox.id }));
  }
}
