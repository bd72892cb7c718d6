/** The Store contract as tests: every backend is held to it. `open` gives an empty store; it is closed afterwards. */
import type { ExecutionContext, TestFn } from "ava";
import { CompactedError, FutureRevisionError, RevisionConflictError } from "../../../lib/storage/store.ts";
import type { Store, StoreEvent } from "../../../lib/storage/store.ts";

const bytes = (text: string): Buffer => Buffer.from(text);
const describe = (event: StoreEvent): string => event.type === "put"
  ? `put ${event.record.key}=${event.record.value.toString()}@${event.record.modRevision} was ${event.previous?.value.toString() ?? "-"}`
  : `delete ${event.key}@${event.revision} was ${event.previous.value.toString()}`;

/** Collects what a watch delivers. */
function follow(store: Store, prefix: string, after: number): { seen: string[]; batches: number[]; ended: Promise<void>; stop: () => void } {
  const controller = new AbortController(), seen: string[] = [], batches: number[] = [];
  const ended = store.watch(prefix, after, (events) => { batches.push(events.length); seen.push(...events.map(describe)); }, controller.signal);
  return { seen, batches, ended, stop: () => controller.abort() };
}

type Claim = (claim: string, body: (t: ExecutionContext, store: Store) => Promise<void>) => void;

export function testStoreContract(test: TestFn, name: string, open: () => Promise<Store>): void {
  const withStore: Claim = (claim, body) => {
    test(`${name}: ${claim}`, async (t) => {
      const store = await open();
      try { await body(t, store); }
      finally { await store.close(); }
    });
  };
  testWrites(withStore);
  testReads(withStore);
  testWatches(withStore);
  testHistory(withStore);
}

function testWrites(claim: Claim): void {
  claim("an empty store is at revision 1 and its first write gets 2", async (t, store) => {
    t.is(await store.currentRevision(), 1);
    const record = await store.put("/a", bytes("1"));
    t.like(record, { key: "/a", createRevision: 2, modRevision: 2 });
    t.is(await store.currentRevision(), 2);
  });

  claim("put() grows the revision by one and keeps createRevision until the key is deleted", async (t, store) => {
    await store.put("/a", bytes("1"));
    t.like(await store.put("/a", bytes("2")), { createRevision: 2, modRevision: 3 });
    t.is((await store.delete("/a"))?.revision, 4);
    t.like(await store.put("/a", bytes("3")), { createRevision: 5, modRevision: 5 });
  });

  claim("put() with expectedRevision 0 creates once, and the second learns what is there", async (t, store) => {
    await store.put("/a", bytes("1"), { expectedRevision: 0 });
    const error = await t.throwsAsync(store.put("/a", bytes("2"), { expectedRevision: 0 }), { instanceOf: RevisionConflictError });
    t.is(error.current?.value.toString(), "1");
    t.is(error.current?.modRevision, 2);
  });

  claim("put() with an expectedRevision on a missing key conflicts and finds nothing", async (t, store) => {
    const error = await t.throwsAsync(store.put("/a", bytes("2"), { expectedRevision: 7 }), { instanceOf: RevisionConflictError });
    t.is(error.current, undefined);
    t.is(await store.currentRevision(), 1);
  });

  claim("writes of one turn see each other: of 50 swaps on one revision exactly one wins, and the losers use up no revision", async (t, store) => {
    const { modRevision } = await store.put("/a", bytes("0"));
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => store.put("/a", bytes(String(i)), { expectedRevision: modRevision })));
    t.deepEqual(outcomes.map((o) => o.status), ["fulfilled", ...Array.from({ length: 49 }, () => "rejected" as const)]);
    t.is(await store.currentRevision(), 3);
    t.is((await store.get("/a"))?.value.toString(), "0");
  });

  claim("a failed swap fails only its own request", async (t, store) => {
    const [first, failed, last] = await Promise.allSettled([store.put("/a", bytes("1")), store.put("/a", bytes("x"), { expectedRevision: 0 }), store.put("/b", bytes("2"))]);
    t.is(first.status, "fulfilled");
    t.is(failed.status, "rejected");
    t.like(last, { status: "fulfilled", value: { modRevision: 3 } });
  });

  claim("delete() returns what it deleted; a missing key gives undefined; a wrong revision conflicts", async (t, store) => {
    t.is(await store.delete("/a"), undefined);
    t.is(await store.delete("/a", { expectedRevision: 3 }), undefined);
    await store.put("/a", bytes("1"));
    await t.throwsAsync(store.delete("/a", { expectedRevision: 9 }), { instanceOf: RevisionConflictError });
    const deleted = await store.delete("/a", { expectedRevision: 2 });
    t.is(deleted?.revision, 3);
    t.is(deleted?.previous.value.toString(), "1");
    t.is(await store.get("/a"), undefined);
  });

  claim("values come back byte for byte: empty, binary, a slice of a shared buffer, and 3 MB", async (t, store) => {
    const big = Buffer.alloc(3 << 20, "x"), values = [Buffer.alloc(0), Buffer.from([0, 255, 0, 10]), Buffer.from("--middle--").subarray(2, 8), big];
    await Promise.all(values.map((value, i) => store.put(`/v/${i}`, value)));
    t.true((await store.list("/v/")).records.every((record, i) => record.value.equals(values[i]!)));
    t.true((await store.get("/v/3"))!.value.equals(big));
  });

  claim("close() finishes what was accepted and refuses what comes later", async (t, store) => {
    const accepted = store.put("/a", bytes("1"));
    await store.close();
    t.is((await accepted).modRevision, 2);
    await t.throwsAsync(store.put("/b", bytes("1")), { message: /it is closed/ });
    await t.throwsAsync(store.get("/a"), { message: /it is closed/ });
  });
}

function testReads(claim: Claim): void {
  claim("list() gives the keys under the prefix in order of their bytes, and nothing beside it", async (t, store) => {
    const keys = ["/p/b", "/p/a", "/p/\u{1F600}", "/p/\uFF5E", "/p/é", "/q/a", "/p", "/p0"];
    await Promise.all(keys.map((key) => store.put(key, bytes(key))));
    const { records, revision, remaining } = await store.list("/p/");
    t.deepEqual(records.map((r) => r.key), ["/p/a", "/p/b", "/p/é", "/p/\uFF5E", "/p/\u{1F600}"]);
    t.is(revision, 9);
    t.is(remaining, 0);
    t.is((await store.list("")).records.length, 8);
  });

  claim("list() pages: limit, startKey and remaining walk all records once, also beyond one slice", async (t, store) => {
    const keys = Array.from({ length: 2_500 }, (_, i) => `/p/${String(i).padStart(5, "0")}`);
    await Promise.all(keys.map((key) => store.put(key, bytes("x"))));
    const first = await store.list("/p/", { limit: 1_100 });
    t.deepEqual([first.records.length, first.remaining], [1_100, 1_400]);
    const second = await store.list("/p/", { limit: 1_400, startKey: `${first.records.at(-1)!.key}\0`, revision: first.revision });
    t.deepEqual([...first.records, ...second.records].map((r) => r.key), keys);
    t.is(second.remaining, 0);
    t.is((await store.list("/p/")).records.length, 2_500);
  });

  claim("get() and list() at an old revision show the map as it was", async (t, store) => {
    await store.put("/p/a", bytes("1")); // 2
    await store.put("/p/b", bytes("1")); // 3
    await store.put("/p/a", bytes("2")); // 4
    await store.delete("/p/b"); // 5
    await store.put("/p/b", bytes("3")); // 6
    await store.put("/p/c", bytes("1")); // 7
    const at = async (revision: number): Promise<string> => (await store.list("/p/", { revision })).records.map((r) => `${r.key}=${r.value.toString()}@${r.modRevision}`).join(" ");
    t.is(await at(1), "");
    t.is(await at(2), "/p/a=1@2");
    t.is(await at(4), "/p/a=2@4 /p/b=1@3");
    t.is(await at(5), "/p/a=2@4");
    t.is(await at(7), "/p/a=2@4 /p/b=3@6 /p/c=1@7");
    t.is((await store.list("/p/", { revision: 3, limit: 1 })).remaining, 1);
    t.is((await store.get("/p/a", { revision: 3 }))?.value.toString(), "1");
    t.is((await store.get("/p/b", { revision: 4 }))?.createRevision, 3);
    t.is(await store.get("/p/b", { revision: 5 }), undefined);
    t.is(await store.get("/p/c", { revision: 6 }), undefined);
  });

  claim("a revision that is not there yet is refused", async (t, store) => {
    await t.throwsAsync(store.get("/a", { revision: 2 }), { instanceOf: FutureRevisionError });
    await t.throwsAsync(store.list("/a", { revision: 2 }), { instanceOf: FutureRevisionError });
    await t.throwsAsync(store.compact(2), { instanceOf: FutureRevisionError });
  });
}

function testWatches(claim: Claim): void {
  claim("watch() delivers kept history, then what follows, each change once with what was there before", async (t, store) => {
    await store.put("/p/a", bytes("1"));
    await store.put("/q/a", bytes("1"));
    await store.put("/p/a", bytes("2"));
    const watch = follow(store, "/p/", 2);
    await store.delete("/p/a");
    await store.put("/p/a", bytes("3"));
    t.deepEqual(watch.seen, ["put /p/a=2@4 was 1", "delete /p/a@5 was 2", "put /p/a=3@6 was -"]);
    watch.stop();
    await watch.ended;
    await store.put("/p/a", bytes("4"));
    t.is(watch.seen.length, 3);
  });

  claim("watch() calls back before the write's own promise resolves, in commit order", async (t, store) => {
    const watch = follow(store, "", 1);
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const record = await store.put(`/k/${i}`, bytes("x"));
      t.true(watch.seen.some((line) => line.includes(`@${record.modRevision} `)));
    }));
    t.deepEqual(watch.seen.map((line) => Number(/@(\d+)/.exec(line)![1])), Array.from({ length: 20 }, (_, i) => i + 2));
    t.true(watch.batches.length < 20); // They came as batches.
    watch.stop();
    await watch.ended;
  });

  claim("watch() misses and repeats nothing while it catches up under writes", async (t, store) => {
    await Promise.all(Array.from({ length: 3_000 }, (_, i) => store.put(`/k/${i}`, bytes("x"))));
    const watch = follow(store, "/k/", 1);
    for (let i = 0; i < 20; i++) await store.put("/k/live", bytes(String(i)));
    t.deepEqual(watch.seen.map((line) => Number(/@(\d+)/.exec(line)![1])), Array.from({ length: 3_020 }, (_, i) => i + 2));
    watch.stop();
    await watch.ended;
  });

  claim("watch() from a revision still to come skips what lies before it", async (t, store) => {
    const watch = follow(store, "", 3);
    for (let i = 0; i < 4; i++) await store.put(`/${i}`, bytes("x"));
    t.deepEqual(watch.seen, ["put /2=x@4 was -", "put /3=x@5 was -"]);
    watch.stop();
    await watch.ended;
  });

  claim("a watcher that throws ends its own watch and disturbs nobody", async (t, store) => {
    const broken = store.watch("", 1, () => { throw new Error("mine"); }, new AbortController().signal);
    const healthy = follow(store, "", 1);
    void broken.catch(() => {});
    await store.put("/a", bytes("1"));
    await store.put("/a", bytes("2"));
    await t.throwsAsync(broken, { message: "mine" });
    t.is(healthy.seen.length, 2);
  });

  claim("close() ends the watches", async (t, store) => {
    const watch = follow(store, "", 1);
    await store.close();
    await watch.ended;
    t.pass();
  });
}

function testHistory(claim: Claim): void {
  claim("compact() forgets below its revision, keeps the state at it, and later reads are untouched", async (t, store) => {
    await store.put("/a", bytes("1")); // 2
    await store.put("/b", bytes("1")); // 3
    await store.delete("/b"); // 4
    await store.put("/a", bytes("2")); // 5
    await store.put("/a", bytes("3")); // 6
    await store.compact(5);
    await t.throwsAsync(store.get("/a", { revision: 4 }), { instanceOf: CompactedError });
    await t.throwsAsync(store.list("/", { revision: 4 }), { instanceOf: CompactedError });
    await t.throwsAsync(store.watch("/", 4, () => {}, new AbortController().signal), { instanceOf: CompactedError });
    t.is((await store.get("/a", { revision: 5 }))?.value.toString(), "2");
    t.is((await store.get("/a"))?.value.toString(), "3");
    const watch = follow(store, "/", 5);
    await store.put("/b", bytes("2"));
    t.deepEqual(watch.seen, ["put /a=3@6 was 2", "put /b=2@7 was -"]);
    watch.stop();
  });

  claim("compact() twice, backwards or at the newest deletion leaves records and revisions whole", async (t, store) => {
    await store.put("/a", bytes("1"));
    await store.put("/b", bytes("1"));
    await store.delete("/b"); // 4
    await store.compact(4);
    await store.compact(3);
    await store.compact(4);
    t.is((await store.get("/a"))?.value.toString(), "1");
    t.is((await store.put("/b", bytes("2"))).modRevision, 5);
  });

  claim("watch() that asks for compacted history fails while one that is up to date goes on", async (t, store) => {
    const watch = follow(store, "", 1);
    for (let i = 0; i < 10; i++) await store.put("/a", bytes(String(i)));
    await store.compact(11);
    await store.put("/a", bytes("10"));
    t.is(watch.seen.length, 11);
    t.is(watch.seen.at(-1), "put /a=10@12 was 9");
    watch.stop();
    await watch.ended;
  });
}
