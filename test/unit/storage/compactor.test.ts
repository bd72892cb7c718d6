import test from "ava";
import { Compactor } from "../../../lib/storage/compactor.ts";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

test("Compactor.run() keeps at least one interval of history and forgets what is older than two", async (t) => {
  const store = new MemoryStore(), clock = new ManualClock(), stop = new AbortController();
  const write = (): Promise<unknown> => store.put("/a", Buffer.from("x"));
  await write(); // 2
  const running = new Compactor({ store, clock, log: silentLogger }, { intervalMs: 1_000 }).run(stop.signal);
  await write(); // 3: younger than the start.
  await clock.advance(1_000);
  t.truthy(await store.get("/a", { revision: 2 }));
  await write(); // 4
  await clock.advance(1_000);
  await t.throwsAsync(store.get("/a", { revision: 2 }), { name: "CompactedError" });
  t.truthy(await store.get("/a", { revision: 3 }));
  stop.abort();
  await running;
  await store.close();
});
