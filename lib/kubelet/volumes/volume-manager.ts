/**
 * A pod's volumes on this host: made before its containers start, kept up to date while it runs, taken away after it ended.
 *
 * Guarantees: `setUp` and `tearDown` are idempotent; nothing is removed below a path that is still a mount; directories are upstream's
 * (`pods/UID/volumes/kubernetes.io~TYPE/NAME`). Counterpart: kubelet `volumemanager`.
 */
import { chmod, chown, mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { quantityValue } from "../../api/quantity.ts";
import type { Container, Pod, Volume } from "../../api/schema/generated/models.ts";
import { listMounts, mountTmpfs, unmountAll } from "../../host/mounts.ts";
import type { Clock } from "../../util/clock.ts";
import { podCgroupResources } from "../container-resources.ts";
import type { DownwardContext } from "../downward.ts";
import { uidOf } from "../pod-facts.ts";
import { writeAtomically } from "./atomic-writer.ts";
import { prepareHostPath } from "./host-path.ts";
import { buildPayload, type PayloadSources } from "./payload.ts";
import { bindSubPath } from "./sub-path.ts";
import { isUnfinished, UNFINISHED } from "./unfinished.ts";

/** One volume that could not be set up; the message is that of a FailedMount event. */
export class VolumeError extends Error { override readonly name = "VolumeError"; }

export interface VolumeManagerOptions { readonly rootDirectory: string }

/** Volume sources this kubelet makes files or directories for, beside hostPath, and the names of their directories. */
export const PLUGINS = { configMap: "configmap", secret: "secret", downwardAPI: "downward-api", projected: "projected", emptyDir: "empty-dir" } as const;
const IN_MEMORY = new Set<string>(["secret", "projected", "downwardAPI"]);

export class VolumeManager {
  readonly #sources: PayloadSources;
  readonly #clock: Clock;
  readonly #root: string;

  constructor(deps: { sources: PayloadSources; clock: Clock }, options: VolumeManagerOptions) {
    this.#sources = deps.sources;
    this.#clock = deps.clock;
    this.#root = options.rootDirectory;
  }

  podDirectory(uid: string): string { return path.join(this.#root, "pods", uid); }
  containerDirectory(uid: string, container: string): string { return path.join(this.podDirectory(uid), "containers", container); }

  /** Where a volume is on the host. Throws VolumeError for a kind this release cannot mount. */
  hostPathOf(pod: Pod, volume: Volume): string {
    if (volume.hostPath !== undefined) return volume.hostPath.path;
    const kind = kindOf(volume);
    return path.join(this.podDirectory(uidOf(pod)), "volumes", `kubernetes.io~${PLUGINS[kind]}`, volume.name);
  }

  /** Makes all volumes of the pod, side by side. Throws the first VolumeError after all have been tried. */
  async setUp(pod: Pod, context: DownwardContext): Promise<void> { await this.#setUpAll(pod, pod.spec.volumes ?? [], context); }

  async #setUpAll(pod: Pod, volumes: readonly Volume[], context: DownwardContext): Promise<void> {
    const results = await Promise.allSettled(volumes.map((volume) => this.#setUpOne(pod, volume, context)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  /** Writes changed configuration, secrets, tokens and downward fields into volumes that are there. */
  async refresh(pod: Pod, context: DownwardContext): Promise<void> { await this.#setUpAll(pod, (pod.spec.volumes ?? []).filter(isOfFiles), context); }

  async #setUpOne(pod: Pod, volume: Volume, context: DownwardContext): Promise<void> {
    try {
      if (volume.hostPath !== undefined) return await prepareHostPath(volume.hostPath);
      const kind = kindOf(volume), directory = this.hostPathOf(pod, volume), gid = pod.spec.securityContext?.fsGroup;
      if (kind === "emptyDir") return await this.#emptyDir(pod, volume, directory, context);
      const payload = await buildPayload(pod, volume, this.#sources, context);
      await mkdir(directory, { recursive: true, mode: 0o755 });
      if (IN_MEMORY.has(kind)) await ensureTmpfs(directory);
      if (gid !== undefined) await own(directory, gid, 0o2775);
      await writeAtomically(directory, payload!, this.#clock.now(), gid);
    } catch (error) {
      if (error instanceof VolumeError) throw error;
      throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`, { cause: error });
    }
  }

  async #emptyDir(pod: Pod, volume: Volume, directory: string, context: DownwardContext): Promise<void> {
    const medium = volume.emptyDir?.medium ?? "", gid = pod.spec.securityContext?.fsGroup;
    if (medium !== "" && medium !== "Memory") throw new Error(`emptyDir medium ${JSON.stringify(medium)} is not supported by this release`);
    await mkdir(path.dirname(directory), { recursive: true, mode: 0o755 });
    try { await mkdir(directory, { mode: UNFINISHED }); }
    catch (error) { if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error; }
    if (medium === "Memory") await ensureTmpfs(directory, { sizeBytes: memorySizeBytes(pod, volume, context), mode: UNFINISHED });
    if (!isUnfinished(await stat(directory))) return;
    if (gid === undefined) await chmod(directory, 0o777);
    else await own(directory, gid, 0o2777);
  }

  /** Binds the subPaths of a container's mounts; returns mount index to the bound place. */
  async bindSubPaths(pod: Pod, container: Container, subPathOf: (index: number) => string): Promise<Map<number, string>> {
    const bound = new Map<number, string>(), mounted = new Set((await listMounts()).map((mount) => mount.path));
    for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
      const subPath = subPathOf(index), volume = pod.spec.volumes?.find((v) => v.name === mount.name);
      if (subPath === "" || volume === undefined) continue;
      const target = path.join(this.podDirectory(uidOf(pod)), "volume-subpaths", volume.name, container.name, String(index));
      if (mounted.has(target)) await unmountAll(target); // A new run sees the path as it is now.
      try { await bindSubPath(this.hostPathOf(pod, volume), subPath, target); }
      // What is wrong would tell of the host's files.
      catch (error) { throw new VolumeError(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`, { cause: error }); }
      bound.set(index, target);
    }
    return bound;
  }

  /** Unmounts and removes everything of the pod. Throws while something is busy. */
  async tearDown(uid: string): Promise<void> {
    const directory = this.podDirectory(uid);
    await unmountAll(directory);
    await rm(directory, { recursive: true, force: true });
  }

  /** Uids of the pods that have a directory here. */
  async known(): Promise<string[]> { return readdir(path.join(this.#root, "pods")).catch(() => []); }

  /** Removes the directory all pods' directories are in, if it is empty. For tests and uninstalling. */
  async removeRoot(): Promise<void> { await rmdir(path.join(this.#root, "pods")).catch(() => undefined); }
}

/** Whether the volume's content is written by us, and so may change. */
export const isOfFiles = (volume: Volume): boolean => volume.configMap !== undefined || volume.secret !== undefined || volume.downwardAPI !== undefined || volume.projected !== undefined;

function kindOf(volume: Volume): keyof typeof PLUGINS {
  for (const kind of Object.keys(PLUGINS) as (keyof typeof PLUGINS)[]) if (volume[kind] !== undefined) return kind;
  const source = Object.keys(volume).find((key) => key !== "name") ?? "none";
  throw new VolumeError(`MountVolume.SetUp failed for volume "${volume.name}" : volume source ${source} is not supported by this release`);
}

/** How large an emptyDir in memory may be: what the node has for pods, the pod's limit or its own, whichever is least. */
export function memorySizeBytes(pod: Pod, { emptyDir }: Volume, { allocatable }: DownwardContext): number | undefined {
  const bytes = (quantity: string | undefined): number => (quantity === undefined ? 0 : quantityValue(quantity));
  const limits = [bytes(allocatable["memory"]), podCgroupResources(pod).memoryMaxBytes ?? 0, bytes(emptyDir?.sizeLimit)].filter((each) => each > 0);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

async function ensureTmpfs(directory: string, options?: Parameters<typeof mountTmpfs>[1]): Promise<void> {
  if (!(await listMounts()).some((mount) => mount.path === directory)) await mountTmpfs(directory, options);
}

async function own(directory: string, gid: number, mode: number): Promise<void> {
  await chown(directory, 0, gid);
  await chmod(directory, mode);
}
