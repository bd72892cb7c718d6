/**
 * All pods of the node: a worker each, told of what changes; pods that nobody knows any more are stopped and swept away.
 *
 * Guarantees: nothing is swept before the API server's list is known, and only what carries this node's label; workers run side by side.
 * Counterpart: kubelet `pod_workers.go`, HandlePodCleanups.
 */
import type { Pod } from "../api/schema/generated/models.ts";
import type { Logger } from "../util/logger.ts";
import { podCgroup, qosCgroup } from "./container-resources.ts";
import { podKey, uidOf } from "./pod-facts.ts";
import { PodWorker, type PodWorkerDeps } from "./pod-worker.ts";
import type { PodGlance } from "./runtime-reader.ts";
import { cgroupPath } from "../host/cgroup-name.ts";

interface Entry { readonly worker: PodWorker; readonly done: Promise<void> }

export class PodManager {
  readonly #deps: PodWorkerDeps;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #entries = new Map<string, Entry>();

  /** Workers stop, leaving containers as they are, when `signal` aborts. */
  constructor(deps: PodWorkerDeps, signal: AbortSignal) {
    this.#deps = deps;
    this.#log = deps.log;
    this.#signal = signal;
  }

  /** Pods the node has taken and that have not ended. */
  get admitted(): Pod[] { return [...this.#entries.values()].filter(({ worker }) => worker.admitted && !worker.finished).map(({ worker }) => worker.pod); }
  get pods(): Pod[] { return [...this.#entries.values()].map((entry) => entry.worker.pod); }
  worker(uid: string): PodWorker | undefined { return this.#entries.get(uid)?.worker; }
  byName(namespace: string, name: string): PodWorker | undefined {
    const found = [...this.#entries.values()].map((entry) => entry.worker).filter((worker) => worker.pod.metadata.namespace === namespace && worker.pod.metadata.name === name);
    return found.find((worker) => !worker.finished) ?? found[0];
  }

  /** A pod is there, or changed. */
  upsert(pod: Pod): void {
    const entry = this.#entries.get(uidOf(pod));
    if (entry !== undefined) entry.worker.update(pod);
    else this.#start(pod);
  }

  #start(pod: Pod): PodWorker {
    const worker = new PodWorker(this.#deps, pod), uid = uidOf(pod);
    const done = worker.run(this.#signal).catch((error: unknown) => this.#log.error({ pod: podKey(pod), uid, error }, "pod worker failed"));
    this.#entries.set(uid, { worker, done });
    return worker;
  }

  /** The API object is gone. */
  remove(pod: Pod): void {
    const uid = uidOf(pod), entry = this.#entries.get(uid);
    if (entry === undefined) return;
    entry.worker.vanish(pod);
    void entry.done.finally(() => { if (this.#entries.get(uid) === entry && entry.worker.finished) this.#entries.delete(uid); });
  }

  wake(uid: string): void { this.#entries.get(uid)?.worker.wake(); }
  refresh(uid: string): void { this.#entries.get(uid)?.worker.refreshSoon(); }

  /** Sweeps what belongs to no pod: sandboxes of this node, volume directories, control groups. */
  async sweep(running: ReadonlyMap<string, PodGlance>): Promise<void> {
    for (const glance of running.values()) {
      if (this.#entries.has(glance.uid) || glance.node !== this.#deps.settings.nodeName) continue;
      this.#log.info({ pod: `${glance.namespace}/${glance.name}`, uid: glance.uid }, "sweeping a pod the API server no longer knows");
      const stand: Pod = { metadata: { name: glance.name, namespace: glance.namespace, uid: glance.uid }, spec: { containers: [], terminationGracePeriodSeconds: 2 } };
      this.#start(stand);
      this.remove(stand);
    }
    for (const uid of await this.#deps.volumes.known()) {
      if (this.#entries.has(uid) || running.has(uid)) continue;
      await this.#deps.volumes.tearDown(uid).catch((error: unknown) => this.#log.warn({ uid, error }, "cannot sweep volumes"));
    }
    await this.#sweepCgroups(running);
  }

  async #sweepCgroups(running: ReadonlyMap<string, PodGlance>): Promise<void> {
    const { cgroups, settings } = this.#deps;
    for (const qos of ["Guaranteed", "Burstable", "BestEffort"] as const) {
      const parent = qosCgroup(settings.cgroupRoot, qos), known = new Set<string>();
      for (const { worker } of this.#entries.values()) known.add(cgroupPath(podCgroup(settings.cgroupRoot, worker.pod), cgroups.driver).split("/").at(-1)!);
      for (const child of await cgroups.children(parent)) {
        const uid = /(?:^|-)pod([0-9a-f_-]{36})(?:\.slice)?$/.exec(child)?.[1]?.replaceAll("_", "-");
        if (uid !== undefined && !known.has(child) && !running.has(uid)) await cgroups.remove([...parent, `pod${uid}`]);
      }
    }
  }

  /** Resolves when all workers have stopped. */
  async stopped(): Promise<void> { await Promise.all([...this.#entries.values()].map((entry) => entry.done)); }
}
