/**
 * Garbage collector: dead containers and sandboxes once a minute, unused images when the disk fills, links to logs that lead nowhere.
 *
 * Guarantees: nothing without this node's label is removed; an image in use, pinned or the sandbox's is never removed.
 * Counterpart: kubelet `container_gc.go`, `image_gc_manager.go`.
 */
import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Runnable } from "../../util/runnable.ts";
import { readSpace } from "../../host/disk-usage.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { NodeContext } from "../node-context.ts";
import type { PodManager } from "../pod-manager.ts";
import { uidOf } from "../pod-facts.ts";
import { ignoreGone } from "../stop-pod.ts";
import { planContainerGc } from "./plan-container-gc.ts";
import { bytesToFree, planImageGc, type ImageGcPolicy, type ImageRecord } from "./plan-image-gc.ts";

const CONTAINER_GC_MS = 60_000, IMAGE_GC_MS = 300_000, IMAGE_WATCH_MS = 60_000;

export class GarbageCollector implements Runnable {
  readonly name = "garbage collector";
  readonly #context: NodeContext;
  readonly #manager: PodManager;
  readonly #events: EventSink;
  readonly #policy: ImageGcPolicy;
  readonly #seen = new Map<string, { firstSeenMs: number; lastUsedMs: number }>();

  constructor(context: NodeContext, manager: PodManager, events: EventSink, policy: ImageGcPolicy) {
    this.#context = context;
    this.#manager = manager;
    this.#events = events;
    this.#policy = policy;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    const every = async (ms: number, what: string, work: () => Promise<void>): Promise<void> => {
      while (!signal.aborted) {
        await clock.sleep(ms, signal).catch(() => undefined);
        if (!signal.aborted) await work().catch((error: unknown) => log.warn({ error }, `cannot collect ${what}`));
      }
    };
    await Promise.all([
      every(CONTAINER_GC_MS, "containers", () => this.collectContainers()), every(IMAGE_WATCH_MS, "image records", () => this.#look().then(() => undefined)),
      every(IMAGE_GC_MS, "images", () => this.collectImages()),
    ]);
  }

  async collectContainers(): Promise<void> {
    const { cri, settings } = this.#context, live = new Set(this.#manager.pods.map(uidOf));
    const [{ containers }, { items }] = await Promise.all([cri.call("ListContainers", {}), cri.call("ListPodSandbox", {})]);
    const plan = planContainerGc(containers, items, live, settings.nodeName);
    for (const containerId of plan.containers) {
      const status = await cri.call("ContainerStatus", { containerId }).then((r) => r.status, () => null);
      await ignoreGone(cri.call("RemoveContainer", { containerId }));
      if (status !== null && status.logPath !== "") await removeLogs(status.logPath);
    }
    for (const podSandboxId of plan.sandboxes) await ignoreGone(cri.call("RemovePodSandbox", { podSandboxId }));
    await this.#removeDeadLinks();
  }

  async #removeDeadLinks(): Promise<void> {
    const root = this.#context.settings.containerLogRoot;
    for (const name of await readdir(root).catch(() => [])) {
      if (name.endsWith(".log") && await stat(path.join(root, name)).catch(() => undefined) === undefined) await rm(path.join(root, name), { force: true });
    }
  }

  /** Notes which images are there and which are used. */
  async #look(): Promise<{ records: ImageRecord[]; inUse: Set<string> }> {
    const { cri, clock } = this.#context, nowMs = clock.now().getTime();
    const [{ images }, { containers }, status] = await Promise.all([cri.call("ListImages", {}), cri.call("ListContainers", {}), cri.call("Status", { verbose: true })]);
    const sandbox = sandboxImage(status.info["config"]), used = new Set(containers.flatMap((container) => [container.imageRef, container.image?.image ?? ""])), inUse = new Set<string>();
    for (const image of images) {
      const names = [image.id, ...image.repoTags, ...image.repoDigests], isUsed = names.some((name) => used.has(name));
      if (isUsed) inUse.add(image.id);
      const seen = this.#seen.get(image.id) ?? { firstSeenMs: nowMs, lastUsedMs: 0 };
      this.#seen.set(image.id, isUsed ? { ...seen, lastUsedMs: nowMs } : seen);
    }
    const there = new Set(images.map((image) => image.id));
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id);
    return { inUse, records: images.map((image) => ({ id: image.id, sizeBytes: image.size, pinned: image.pinned || image.repoTags.includes(sandbox), ...this.#seen.get(image.id)! })) };
  }

  /** Frees disk space if the file system of images is fuller than the policy's high mark; all that can be freed with `everything`. */
  async collectImages(everything = false): Promise<void> {
    const { cri, clock, log } = this.#context, { records, inUse } = await this.#look();
    const [fs] = (await cri.call("ImageFsInfo", {})).imageFilesystems, mountpoint = fs?.fsId?.mountpoint;
    if (mountpoint === undefined) return;
    const space = await readSpace(mountpoint), wanted = everything ? Infinity : bytesToFree(space, this.#policy);
    if (wanted <= 0) return;
    const ids = planImageGc(records, inUse, wanted, everything ? 0 : this.#policy.minimumAgeMs, clock.now().getTime());
    let freed = 0;
    for (const id of ids) {
      await cri.call("RemoveImage", { image: { image: id } }).then(() => { freed += records.find((record) => record.id === id)!.sizeBytes; }, (error: unknown) => log.warn({ image: id, error }, "cannot remove image"));
    }
    log.info({ images: ids.length, freedBytes: freed, availableBytes: space.availableBytes }, "removed unused images");
    if (!everything && freed < wanted) {
      const usage = 100 - Math.trunc((space.availableBytes * 100) / space.capacityBytes), name = this.#context.settings.nodeName;
      this.#events.event({ kind: "Node", name, uid: name, apiVersion: "v1" }, "Warning", "FreeDiskSpaceFailed", `Failed to garbage collect required amount of images. Attempted to free ${wanted} bytes, but only found ${freed} bytes eligible to free. Disk usage is at ${usage}%.`);
    }
  }
}

/** The image of sandboxes, which runtimes before CRI's `pinned` do not mark. */
function sandboxImage(info: string | undefined): string {
  try { return (JSON.parse(info ?? "{}") as { sandboxImage?: string }).sandboxImage ?? ""; } catch { return ""; }
}

async function removeLogs(logPath: string): Promise<void> {
  const directory = path.dirname(logPath), base = path.basename(logPath);
  for (const name of await readdir(directory).catch(() => [])) if (name === base || name.startsWith(`${base}.`)) await rm(path.join(directory, name), { force: true });
}
