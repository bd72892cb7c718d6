/** Stores with a bug each, planted to see that the checker finds it. */
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import type { PutOptions, StoreRecord } from "../../../lib/storage/store.ts";

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

/** Now and then makes a write twice. */
export class StutteringStore extends MemoryStore {
  #count = 0;
  override async put(key: string, value: Buffer, options?: PutOptions): Promise<StoreRecord> {
    const record = await super.put(key, value, options);
    if (isOurs(key) && ++this.#count % EVERY === 0) await super.put(key, value, { expectedRevision: record.modRevision });
    return record;
  }
}
