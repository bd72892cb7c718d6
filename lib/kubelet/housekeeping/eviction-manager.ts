/**
 * Eviction manager: watches memory, disk and process ids; when one runs short it frees what it can and then ends one pod after another.
 *
 * Guarantees: at most one pod is evicted a round, and none before unused images and dead containers are gone when the disk is short; a pressure
 * once told stays told for PRESSURE_HOLD_MS, so that the node's taints do not flap. Limits on local storage are held to as well.
 * Counterpart: kubelet `eviction/eviction_manager.go`.
 */
import path from "node:path";
import type { Pod } from "../../api/schema/generated/models.ts";
import { directoryUsage, readSpace } from "../../host/disk-usage.ts";
import { readMemory, readProcesses } from "../../host/facts.ts";
import type { Runnable } from "../../util/runnable.ts";
import { podCgroup } from "../container-resources.ts";
import type { NodeContext } from "../node-context.ts";
import type { Pressure } from "../node-status.ts";
import { uidOf } from "../pod-facts.ts";
import type { PodManager } from "../pod-manager.ts";
import { podLogDirectory } from "../sandbox-config.ts";
import type { GarbageCollector } from "./garbage-collector.ts";
import { LABEL } from "../labels.ts";
import { exceededStorage, hasStorageLimit } from "./plan-storage-limits.ts";
import { crossed, evictionMessage, pressureOf, rankVictims, type Observations, type PodUse, type Signal, type Threshold } from "./plan-eviction.ts";

const CHECK_MS = 10_000, PRESSURE_HOLD_MS = 300_000;

export class EvictionManager implements Runnable {
  readonly name = "eviction manager";
  readonly #context: NodeContext;
  readonly #manager: PodManager;
  readonly #collector: GarbageCollector;
  readonly #thresholds: readonly Threshold[];
  readonly #rootDirectory: string;
  readonly #onPressure: (pressure: Pressure) => void;
  readonly #crossedAtMs = new Map<Signal, number>();

  constructor(deps: { context: NodeContext; manager: PodManager; collector: GarbageCollector; onPressure: (pressure: Pressure) => void }, thresholds: readonly Threshold[], rootDirectory: string) {
    this.#context = deps.context;
    this.#manager = deps.manager;
    this.#collector = deps.collector;
    this.#onPressure = deps.onPressure;
    this.#thresholds = thresholds;
    this.#rootDirectory = rootDirectory;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    while (!signal.aborted) {
      await this.check().catch((error: unknown) => log.warn({ error }, "cannot check for pressure"));
      await clock.sleep(CHECK_MS, signal).catch(() => undefined);
    }
  }

  async #observe(): Promise<Observations> {
    const [memory, node, processes, images] = await Promise.all([
      readMemory(), readSpace(this.#rootDirectory), readProcesses(),
      this.#context.cri.call("ImageFsInfo", {}).then((info) => readSpace(info.imageFilesystems[0]?.fsId?.mountpoint ?? this.#rootDirectory)).catch(() => undefined),
    ]);
    return {
      "memory.available": { available: memory.availableBytes, capacity: memory.totalBytes }, "nodefs.available": { available: node.availableBytes, capacity: node.capacityBytes },
      "nodefs.inodesFree": { available: node.inodesFree, capacity: node.inodes }, "pid.available": { available: processes.max - processes.running, capacity: processes.max },
      ...(images === undefined ? {} : { "imagefs.available": { available: images.availableBytes, capacity: images.capacityBytes }, "imagefs.inodesFree": { available: images.inodesFree, capacity: images.inodes } }),
    };
  }

  /** One round: looks, tells of pressure, frees, evicts. */
  async check(): Promise<void> {
    const { clock, log } = this.#context, nowMs = clock.monotonicMs();
    await this.#holdSizeLimits();
    let observed = await this.#observe(), over = crossed(this.#thresholds, observed);
    for (const { signal } of over) this.#crossedAtMs.set(signal, nowMs);
    for (const [signal, atMs] of this.#crossedAtMs) if (nowMs - atMs > PRESSURE_HOLD_MS) this.#crossedAtMs.delete(signal);
    this.#onPressure(pressureOf([...this.#crossedAtMs.keys()]));
    if (over.length === 0) return;
    if (pressureOf(over.map(({ signal }) => signal)).disk) {
      await this.#collector.collectContainers();
      await this.#collector.collectImages(true);
      observed = await this.#observe();
      over = crossed(this.#thresholds, observed);
    }
    const [threshold] = over.toSorted((a, b) => Number(b.signal === "memory.available") - Number(a.signal === "memory.available"));
    if (threshold === undefined) return;
    const [victim] = rankVictims(await this.#uses(threshold.signal), threshold.signal);
    if (victim === undefined) { log.warn({ signal: threshold.signal }, "the node is short and there is no pod to evict"); return; }
    this.#evict(victim.pod, evictionMessage(threshold, observed[threshold.signal]!, victim));
  }

  #evict(pod: Pod, message: string): void {
    this.#context.log.warn({ pod: pod.metadata.name, namespace: pod.metadata.namespace, message }, "evicting pod");
    this.#context.events.pod(pod, "Warning", "Evicted", message);
    this.#manager.worker(uidOf(pod))?.end("Evicted", message);
  }

  #running(): Pod[] { return this.#manager.pods.filter((pod) => pod.status?.phase === "Running" || pod.status?.phase === "Pending"); }

  async #uses(signal: Signal): Promise<PodUse[]> {
    const { cgroups, settings, volumes } = this.#context, disk = signal !== "memory.available" && signal !== "pid.available";
    return Promise.all(this.#running().map(async (pod): Promise<PodUse> => {
      const usage = await cgroups.usage(podCgroup(settings.cgroupRoot, pod));
      const diskBytes = disk ? (await directoryUsage(path.join(volumes.podDirectory(uidOf(pod)), "volumes"))).bytes + (await directoryUsage(podLogDirectory(settings.logRoot, pod))).bytes : 0;
      return { pod, memoryBytes: usage?.memoryWorkingSetBytes ?? 0, processes: usage?.processes ?? 0, diskBytes };
    }));
  }

  /** A pod that has outgrown a limit on local storage is evicted; emptyDirs in memory are limited by the kernel. */
  async #holdSizeLimits(): Promise<void> {
    const limited = this.#running().filter(hasStorageLimit);
    if (limited.length === 0) return;
    const { stats } = await this.#context.cri.call("ListContainerStats", {}), { volumes, settings } = this.#context;
    for (const pod of limited) {
      const emptyDirs = new Map<string, number>(), containers = new Map<string, number>();
      for (const volume of pod.spec.volumes ?? []) if (volume.emptyDir !== undefined && volume.emptyDir.medium !== "Memory") emptyDirs.set(volume.name, (await directoryUsage(volumes.hostPathOf(pod, volume))).bytes);
      for (const container of pod.spec.containers) {
        const layer = stats.find((one) => one.attributes?.labels[LABEL.podUid] === uidOf(pod) && one.attributes.metadata?.name === container.name)?.writableLayer?.usedBytes?.value ?? 0;
        containers.set(container.name, layer + (await directoryUsage(path.join(podLogDirectory(settings.logRoot, pod), container.name))).bytes);
      }
      const message = exceededStorage(pod, emptyDirs, containers);
      if (message !== undefined) this.#evict(pod, message);
    }
  }
}
