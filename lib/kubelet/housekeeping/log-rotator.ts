/**
 * Log rotator: keeps each container's log below a size and a number of files. The newest rotated file stays plain, older ones are compressed.
 * Counterpart: kubelet `logs/container_log_manager.go`; names on disk are upstream's (`0.log.20260101-000000`, `….gz`).
 */
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import type { Runnable } from "../../util/runnable.ts";
import { LABEL } from "../labels.ts";
import type { NodeContext } from "../node-context.ts";

export interface LogRotationPolicy { readonly maxBytes: number; /** The log itself included. */ readonly maxFiles: number }
const CHECK_MS = 10_000;

/** What to do with the rotated files of one log, given their names: the newest `keep` stay, the rest go; all but the newest are to be compressed. Pure. */
export function planRotated(names: readonly string[], keep: number): { remove: string[]; compress: string[] } {
  const sorted = names.filter((name) => !name.endsWith(".tmp")).toSorted(), first = Math.max(0, sorted.length - keep);
  return { remove: [...names.filter((name) => name.endsWith(".tmp")), ...sorted.slice(0, first)], compress: sorted.slice(first, -1).filter((name) => !name.endsWith(".gz")) };
}

const stampOf = (now: Date): string => now.toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");

export class LogRotator implements Runnable {
  readonly name = "log rotator";
  readonly #context: NodeContext;
  readonly #policy: LogRotationPolicy;

  constructor(context: NodeContext, policy: LogRotationPolicy) {
    this.#context = context;
    this.#policy = policy;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#context;
    while (!signal.aborted) {
      await clock.sleep(CHECK_MS, signal).catch(() => undefined);
      if (!signal.aborted) await this.rotateAll().catch((error: unknown) => log.warn({ error }, "cannot rotate logs"));
    }
  }

  async rotateAll(): Promise<void> {
    const { cri, settings, log } = this.#context;
    const { containers } = await cri.call("ListContainers", { filter: { state: { state: "CONTAINER_RUNNING" }, labelSelector: { [LABEL.node]: settings.nodeName } } });
    for (const { id, labels, metadata, annotations } of containers) {
      // The path is ours by construction; asking for the status of every container every time would be dear.
      const file = path.join(settings.logRoot, `${labels[LABEL.podNamespace]}_${labels[LABEL.podName]}_${labels[LABEL.podUid]}`, labels[LABEL.containerName] ?? "", `${annotations["io.kubernetes.container.restartCount"] ?? metadata?.attempt ?? 0}.log`);
      const size = (await stat(file).catch(() => undefined))?.size ?? 0;
      if (size >= this.#policy.maxBytes) await this.#rotate(id, file).catch((error: unknown) => log.warn({ file, error }, "cannot rotate log"));
    }
  }

  async #rotate(containerId: string, file: string): Promise<void> {
    const { cri, clock } = this.#context, directory = path.dirname(file), rotated = `${file}.${stampOf(clock.now())}`;
    const old = (await readdir(directory)).filter((name) => name.startsWith(`${path.basename(file)}.`));
    const { remove, compress } = planRotated([...old, path.basename(rotated)], this.#policy.maxFiles - 1);
    for (const name of remove) await rm(path.join(directory, name), { force: true });
    for (const name of compress) await gzip(path.join(directory, name));
    await rename(file, rotated);
    try { await cri.call("ReopenContainerLog", { containerId }); }
    catch (error) { await rename(rotated, file); throw error; } // The runtime still writes to it.
  }
}

async function gzip(file: string): Promise<void> {
  await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.tmp`));
  await rename(`${file}.tmp`, `${file}.gz`);
  await rm(file);
}
