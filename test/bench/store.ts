/** Figures of the durable store: commits a second one at a time and many at once, list, watch, size after many updates. Values of 2 KB, as pods are. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import { openSqliteStore } from "../../lib/storage/sqlite-store.ts";
import type { Store } from "../../lib/storage/store.ts";
import type { Print } from "./run.ts";

const VALUE_BYTES = 2_048;
const value = (): Buffer => Buffer.alloc(VALUE_BYTES, "x"); // A fresh one each, as a request's body is.
const percentile = (sorted: readonly number[], p: number): number => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? 0).toFixed(3));

/** `writes` puts by `writers` callers that each wait for their own before the next. */
async function load(store: Store, writers: number, writes: number, key: (i: number) => string): Promise<Record<string, unknown>> {
  const latencies: number[] = [];
  let next = 0;
  const begin = performance.now();
  await Promise.all(Array.from({ length: writers }, async () => {
    while (next < writes) {
      const i = next++, start = performance.now();
      await store.put(key(i), value());
      latencies.push(performance.now() - start);
    }
  }));
  const seconds = (performance.now() - begin) / 1_000;
  latencies.sort((a, b) => a - b);
  return { writers, writes, perSecond: Math.round(writes / seconds), p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99), maxMs: percentile(latencies, 1) };
}

export async function run(print: Print): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "bench-store-"));
  const store = await openSqliteStore({ file: path.join(directory, "state.db") });
  try {
    let keys = 0;
    for (const [writers, writes] of [[1, 5_000], [16, 20_000], [64, 40_000], [1_024, 60_000]] as const) {
      const base = keys;
      keys += writes;
      print({ figure: "durable puts", ...(await load(store, writers, writes, (i) => `/registry/pods/default/p${base + i}`)) });
    }
    const begin = performance.now();
    const { records } = await store.list("/registry/pods/");
    print({ figure: "list", records: records.length, megabytes: Math.round(records.length * VALUE_BYTES / 1e6), ms: Math.round(performance.now() - begin) });
    const got = performance.now();
    for (let i = 0; i < 20_000; i++) await store.get(`/registry/pods/default/p${i}`);
    print({ figure: "get", perSecond: Math.round(20_000 / ((performance.now() - got) / 1_000)) });
  } finally { await store.close(); }
  await updates(print, path.join(directory, "updates.db"));
  rmSync(directory, { recursive: true });
}

/** 200,000 updates of 100 objects: the file must stay bounded, with somebody watching. */
async function updates(print: Print, file: string): Promise<void> {
  const store = await openSqliteStore({ file });
  const stop = new AbortController();
  let delivered = 0, largestBytes = 0;
  const watch = store.watch("", 1, (events) => { delivered += events.length; }, stop.signal);
  for (let round = 0; round < 4; round++) {
    print({ figure: "updates of 100 objects, watched", ...(await load(store, 64, 50_000, (i) => `/registry/leases/l${i % 100}`)) });
    largestBytes = Math.max(largestBytes, await store.sizeBytes());
  }
  print({ figure: "file after 200,000 updates", delivered, megabytes: Math.round(largestBytes / 1e6) });
  stop.abort();
  await watch;
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const { user, system } = process.cpuUsage(cpu);
  print({ figure: "idle", percentOfACore: Number(((user + system) / 20_000).toFixed(2)) });
  await store.close();
}
