/** Clients that compare and swap, read, list and watch a few objects at once, and write down what they asked and saw. */
import { configmaps } from "../../../lib/api/schema/generated/references.ts";
import type { ConfigMap } from "../../../lib/api/schema/generated/models.ts";
import { hasReason, StatusError } from "../../../lib/api/status-error.ts";
import { ConnectionError, type Client } from "../../../lib/client/client.ts";
import { isAbort } from "../../../lib/util/abort.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import type { Get, History, List, Seen, Watched, Write } from "./history.ts";

export const NAMESPACE = "default", KEYS = ["r0", "r1", "r2", "r3"] as const, LABEL = "app=linear";
const RETRY_MS = 20;
const nowMs = (): number => systemClock.monotonicMs();
const seenOf = ({ metadata, data }: ConfigMap): Seen => ({ key: metadata.name!, value: data?.["v"] ?? "", revision: Number(metadata.resourceVersion) });
/** The server is away, or was while it answered: whatever was asked may have happened or not. */
const isAway = (error: unknown): boolean => error instanceof ConnectionError || (error instanceof StatusError && (error.code ?? 0) >= 500);

export class Recorder {
  readonly writes: Write[] = [];
  readonly gets: Get[] = [];
  readonly lists: List[] = [];
  readonly watches: { fromRevision: number; events: Seen[] }[] = [];
  get history(): History { return { writes: this.writes, gets: this.gets, lists: this.lists, watches: this.watches as Watched[] }; }
  get acknowledged(): number { return this.writes.filter(({ outcome }) => outcome === "done").length; }
}

const pause = async (signal: AbortSignal): Promise<void> => { try { await systemClock.sleep(RETRY_MS, signal); } catch (error) { if (!isAbort(error, signal)) throw error; } };

/** One write, whatever becomes of it. Returns what is there afterwards, where that is known. */
async function write(client: Client, record: Recorder, key: string, value: string, base: number): Promise<Seen | undefined> {
  const object: ConfigMap = { metadata: { namespace: NAMESPACE, name: key, labels: { app: "linear" }, ...(base === 0 ? {} : { resourceVersion: String(base) }) }, data: { v: value } }, invokedMs = nowMs();
  const note = (outcome: Write["outcome"], revision?: number): void => { record.writes.push({ key, value, base, invokedMs, returnedMs: outcome === "unknown" ? Infinity : nowMs(), outcome, ...(revision === undefined ? {} : { revision }) }); };
  try {
    const done = seenOf(await (base === 0 ? client.create(configmaps, object) : client.update(configmaps, object)));
    note("done", done.revision);
    return done;
  } catch (error) {
    if (isAway(error)) { note("unknown"); return undefined; }
    note("refused");
    if (!hasReason(error, "Conflict", "AlreadyExists", "NotFound")) throw error;
    return undefined;
  }
}

async function get(client: Client, record: Recorder, key: string): Promise<Seen | undefined> {
  const invokedMs = nowMs();
  try {
    const seen = seenOf(await client.get(configmaps, { namespace: NAMESPACE, name: key }));
    record.gets.push({ ...seen, invokedMs, returnedMs: nowMs() });
    return seen;
  } catch (error) { if (!isAway(error) && !hasReason(error, "NotFound")) throw error; return undefined; }
}

/** Makes the objects, then compares and swaps until told to stop: from what it read, or from what it wrote last. */
export async function swapper(client: Client, record: Recorder, name: string, signal: AbortSignal): Promise<void> {
  const known = new Map<string, Seen | undefined>();
  for (let n = 0; !signal.aborted; n++) {
    const key = KEYS[(n * 7 + name.length + name.charCodeAt(name.length - 1)) % KEYS.length]!;
    const before = known.get(key) ?? (await get(client, record, key));
    known.set(key, await write(client, record, key, `${name}-${n}`, before?.revision ?? 0));
    if (known.get(key) === undefined && n % 5 === 0) await pause(signal);
  }
}

export async function lister(client: Client, record: Recorder, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const invokedMs = nowMs();
    try {
      const { metadata, items } = await client.list(configmaps, { namespace: NAMESPACE, labelSelector: LABEL });
      record.lists.push({ revision: Number(metadata.resourceVersion), items: items.map(seenOf), invokedMs, returnedMs: nowMs() });
    } catch (error) { if (!isAway(error)) throw error; }
    await pause(signal);
  }
}

/** Watches from the first list on; after a lost connection it goes on behind the last event it saw. */
export async function watcher(client: Client, record: Recorder, signal: AbortSignal): Promise<void> {
  let at: number | undefined, mine: { fromRevision: number; events: Seen[] } | undefined;
  while (!signal.aborted) {
    try {
      if (mine === undefined) {
        at = Number((await client.list(configmaps, { namespace: NAMESPACE, labelSelector: LABEL })).metadata.resourceVersion);
        record.watches.push(mine = { fromRevision: at, events: [] });
      }
      for await (const { type, object } of client.watch<ConfigMap>(configmaps, { namespace: NAMESPACE, labelSelector: LABEL, resourceVersion: String(at) }, signal)) {
        if (type !== "ADDED" && type !== "MODIFIED") continue;
        const seen = seenOf(object);
        mine.events.push(seen);
        at = seen.revision;
      }
    } catch (error) {
      if (isAbort(error, signal)) return;
      if (!isAway(error)) throw error;
    }
    await pause(signal);
  }
}

/** Swappers, listers and watchers together until the signal; one that fails for another reason than an absent server ends all. */
export async function crowd(connect: () => Client, record: Recorder, size: { swappers: number; listers: number; watchers: number }, signal: AbortSignal): Promise<void> {
  const failed = new AbortController(), stop = AbortSignal.any([signal, failed.signal]), clients: Client[] = [];
  const start = (run: (client: Client) => Promise<void>): Promise<void> => {
    const client = connect();
    clients.push(client);
    return run(client).catch((error: unknown) => { failed.abort(); throw error; });
  };
  try {
    await Promise.all([
      ...Array.from({ length: size.swappers }, (_, i) => start((client) => swapper(client, record, `s${i}`, stop))),
      ...Array.from({ length: size.listers }, () => start((client) => lister(client, record, stop))),
      ...Array.from({ length: size.watchers }, () => start((client) => watcher(client, record, stop))),
    ]);
  } finally { for (const client of clients) client.close(); }
}
