import test from "ava";
import { resources } from "../../../lib/api/resources.ts";
import type { CoreV1Event } from "../../../lib/api/schema/generated/models.ts";
import { events } from "../../../lib/api/schema/generated/references.ts";
import { WatchCache } from "../../../lib/apiserver/cache/watch-cache.ts";
import { EventExpiry, SWEEP_MS } from "../../../lib/apiserver/event-expiry.ts";
import { addCaches } from "../../../lib/apiserver/registry/registry.ts";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

const TTL_MS = 3_600_000, MINUTE_MS = 60_000;

interface World { store: MemoryStore; clock: ManualClock; readonly put: (name: string, writtenAt?: Date) => Promise<unknown>; readonly names: () => string[]; readonly stop: () => Promise<void> }
/** A server's cache and what forgets; `before` are events that are there when it starts, by age in minutes. */
async function world(before: Record<string, number> = {}): Promise<World> {
  const store = new MemoryStore(), clock = new ManualClock(), stopping = new AbortController(), cache = new WatchCache(store, silentLogger);
  addCaches(cache, resources);
  const kept = cache.cacheOf(events);
  const put = (name: string, writtenAt = clock.now()): Promise<unknown> => {
    const object = { apiVersion: "v1", kind: "Event", metadata: { name, namespace: "n", uid: `uid-${name}`, creationTimestamp: "2025-12-31T00:00:00Z", managedFields: [{ manager: "m", operation: "Update", time: writtenAt.toISOString() }] }, involvedObject: { kind: "Pod", name: "p", namespace: "n" }, reason: "R" } as unknown as CoreV1Event;
    return store.put(`${kept.prefix}n/${name}`, kept.codec.encode(object).value);
  };
  for (const [name, minutes] of Object.entries(before)) await put(name, new Date(clock.now().getTime() - minutes * MINUTE_MS));
  const expiry = new EventExpiry({ cache, store, clock, log: silentLogger }, TTL_MS), stopFollowing = expiry.follow();
  await cache.start(stopping.signal);
  const running = expiry.run(stopping.signal);
  return { store, clock, put, names: () => kept.list(kept.prefix).map((entry) => entry.name), stop: async () => { stopping.abort(); stopFollowing(); await running; } };
}

test("EventExpiry forgets an event its time after it was last written, not before", async (t) => {
  const { clock, put, names, stop } = await world();
  await put("once");
  await put("again");
  await clock.advance(TTL_MS - MINUTE_MS);
  await put("again");
  t.deepEqual(names(), ["again", "once"]);
  await clock.advance(MINUTE_MS + SWEEP_MS);
  t.deepEqual(names(), ["again"]);
  await clock.advance(TTL_MS);
  t.deepEqual(names(), []);
  await stop();
});

test("EventExpiry counts what was there at the start from its own last write", async (t) => {
  const { clock, names, stop } = await world({ old: 90, young: 30 });
  t.deepEqual(names(), ["old", "young"]);
  await clock.advance(SWEEP_MS);
  t.deepEqual(names(), ["young"]);
  await clock.advance(30 * MINUTE_MS);
  t.deepEqual(names(), []);
  await stop();
});

test("EventExpiry leaves an event alone that is written while it is being forgotten", async (t) => {
  const { store, clock, put, names, stop } = await world();
  await put("one");
  const remove = store.delete.bind(store);
  store.delete = async (key, options) => { await put("one"); return remove(key, options); };
  await clock.advance(TTL_MS + SWEEP_MS);
  t.deepEqual(names(), ["one"]);
  await stop();
});
