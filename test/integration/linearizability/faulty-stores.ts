/** Stores with a bug each, planted to see that the checker finds it. */
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import type { PutOptions, StoreEvent, StoreRecord } from "../../../lib/storage/store.ts";

const isOurs = (key: string): boolean => key.includes("/configmaps/default/r");
/** The bug shows with every so many writes of ours; not comparing matters only where two meet, so that is done more often. */
const EVERY = 25, EVERY_CARELESS = 3;

/** Acknowledges now and then a write that it does not make. */
export class ForgetfulStore extends MemoryStore {
  #count = 0;
  override async put(key: string, value: Buffer, options?: PutOptions): Promise<StoreRecord> {
    if (!isOurs(key) || options?.expectedRevision === 0 || ++this.#count % EVERY !== 0) return super.put(key, value, options);
    const current = await this.get(key);
    if (current === undefined || current.modRevision !== options?.expectedRevision) return super.put(key, value, options);
    return { ...current, value, modRevision: (await this.currentRevision()) + 1 };
  }
}

/** Now and then writes without comparing. */
export class CarelessStore extends MemoryStore {
  #count = 0;
  override put(key: string, value: Buffer, options?: PutOptions): Promise<StoreRecord> {
    return super.put(key, value, isOurs(key) && options?.expectedRevision !== 0 && ++this.#count % EVERY_CARELESS === 0 ? {} : options);
  }
}

/** Now and then tells watchers nothing of a change. */
export class SilentStore extends MemoryStore {
  #count = 0;
  override watch(prefix: string, afterRevision: number, onEvents: (events: readonly StoreEvent[]) => void, signal: AbortSignal): Promise<void> {
    return super.watch(prefix, afterRevision, (events) => {
      onEvents(events.filter((event) => event.type !== "put" || !isOurs(event.record.key) || event.previous === undefined || ++this.#count % EVERY !== 0));
    }, signal);
  }
}
