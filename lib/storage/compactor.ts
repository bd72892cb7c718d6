/**
 * Forgets history by age: every `intervalMs` it compacts to the revision seen one interval before, so 5 to 10 minutes are kept.
 * By length the store bounds itself (`historyRevisionsMax`). Counterpart: apiserver `storage/etcd3/compact.go`.
 */
import { isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import type { Store } from "./store.ts";

export const COMPACTION_INTERVAL_MS = 300_000;

export class Compactor implements Runnable {
  readonly name = "compactor";
  readonly #deps: { store: Store; clock: Clock; log: Logger };
  readonly #intervalMs: number;
  constructor(deps: { store: Store; clock: Clock; log: Logger }, options: { intervalMs?: number } = {}) {
    this.#deps = deps;
    this.#intervalMs = options.intervalMs ?? COMPACTION_INTERVAL_MS;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { store, clock, log } = this.#deps;
    try {
      for (let seen = await store.currentRevision(); ;) {
        await clock.sleep(this.#intervalMs, signal);
        const newest = await store.currentRevision();
        try { await store.compact(seen); }
        catch (error) { log.warn({ error, revision: seen }, "compaction failed, will retry"); }
        seen = newest;
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }
}
