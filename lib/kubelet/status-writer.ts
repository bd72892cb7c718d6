/**
 * Writes pods' statuses to the API server.
 *
 * Guarantees: writes of one pod follow each other, the newest wins and those in between may be skipped; pods do not wait for each other
 * beyond WRITES_MAX; a failed write is tried again until a newer status, success or the pod's end; `flush` resolves when nothing is left.
 * Counterpart: kubelet `status/status_manager.go`.
 */
import { hasReason } from "../api/status-error.ts";
import { pods } from "../api/schema/generated/references.ts";
import type { Pod, PodStatus } from "../api/schema/generated/models.ts";
import type { Client } from "../client/client.ts";
import { isAbort } from "../util/abort.ts";
import { backoffMs, resolveBackoff } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import { namespaceOf, podKey, uidOf } from "./pod-facts.ts";
import { statusPatch } from "./status-patch.ts";

const WRITES_MAX = 16;
const BACKOFF = resolveBackoff({ baseMs: 200, maxMs: 10_000, jitter: 0.2 });

interface Entry { pod: Pod; wanted: PodStatus; /** What the server holds, as far as we know, and the version of the pod that told so. */ held: PodStatus; heldVersion: bigint; dirty: boolean; writing: Promise<void> | undefined; gone: boolean }

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #entries = new Map<string, Entry>();
  #free = WRITES_MAX;
  readonly #waiting: (() => void)[] = [];

  /** Writes stop when `signal` aborts. */
  constructor(deps: { client: Client; clock: Clock; log: Logger }, signal: AbortSignal) {
    this.#client = deps.client;
    this.#clock = deps.clock;
    this.#log = deps.log;
    this.#signal = signal;
  }

  /** The status last asked for. */
  wanted(uid: string): PodStatus | undefined { return this.#entries.get(uid)?.wanted; }

  /** Wants `status` for `pod`; returns at once. */
  set(pod: Pod, status: PodStatus): void {
    const uid = uidOf(pod), entry = this.#entries.get(uid);
    if (entry === undefined) this.#entries.set(uid, this.#start({ pod, wanted: status, held: pod.status ?? {}, heldVersion: versionOf(pod), dirty: true, writing: undefined, gone: false }));
    else {
      entry.pod = pod;
      // The server's word counts, others may have written (a node controller marks pods unready), unless it is older than our last write.
      if (versionOf(pod) > entry.heldVersion) { entry.held = pod.status ?? {}; entry.heldVersion = versionOf(pod); }
      entry.wanted = status;
      entry.dirty = true;
      this.#start(entry);
    }
  }

  #start(entry: Entry): Entry {
    if (!entry.gone) entry.writing ??= this.#write(entry).finally(() => { entry.writing = undefined; });
    return entry;
  }

  /** Resolves when the last status asked for is written, or the pod is gone. */
  async flush(uid: string): Promise<void> { await this.#entries.get(uid)?.writing; }

  forget(uid: string): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.gone = true;
    this.#entries.delete(uid);
  }

  async #write(entry: Entry): Promise<void> {
    for (let failures = 0; entry.dirty && !entry.gone && !this.#signal.aborted;) {
      entry.dirty = false;
      const wanted = entry.wanted, patch = statusPatch(entry.pod, entry.held, wanted);
      if (patch === undefined) continue;
      try {
        const written = await this.#slot(() => this.#client.patch(pods, { namespace: namespaceOf(entry.pod), name: entry.pod.metadata.name }, "strategic", patch, { subresource: "status" }, this.#signal));
        entry.held = written.status ?? wanted;
        entry.heldVersion = versionOf(written);
        failures = 0;
      } catch (error) {
        if (isAbort(error, this.#signal)) return;
        // A conflict means the name belongs to another pod by now.
        if (hasReason(error, "NotFound", "Conflict")) { this.#log.debug({ pod: podKey(entry.pod), error }, "pod is gone, status dropped"); return; }
        this.#log.warn({ pod: podKey(entry.pod), error }, "cannot write pod status, will retry");
        entry.dirty = true;
        await this.#clock.sleep(backoffMs(BACKOFF, failures++), this.#signal).catch(() => undefined);
      }
    }
  }

  async #slot<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    try { return await work(); }
    finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }
}

/** Versions are comparable numbers since Kubernetes 1.35; anything else counts as old. */
function versionOf(pod: Pod): bigint {
  const text = pod.metadata.resourceVersion ?? "";
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}
