/**
 * Is the API server linearizable? Clients compare and swap, read, list and watch at once while the server is killed and started again;
 * the checker of history.ts then finds nothing lost, doubled, reordered or stale. And it does find each of three bugs planted on purpose.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "ava";
import { createClient } from "../../../lib/client/http-client.ts";
import { startEphemeralApiServer } from "../../../lib/apiserver/ephemeral.ts";
import { ensureClusterPki } from "../../../lib/pki/cluster-pki.ts";
import { MemoryStore } from "../../../lib/storage/memory-store.ts";
import { until } from "../../../lib/install/wait.ts";
import { systemClock } from "../../../lib/util/clock.ts";
import { freePort } from "../../free-port.ts";
import { startServerProcess } from "../apiserver/server-process.ts";
import { crowd, Recorder } from "./clients.ts";
import { CarelessStore, ForgetfulStore, StutteringStore } from "./faulty-stores.ts";
import { violations, type Get, type History, type Write } from "./history.ts";

const KILLS = 4, WRITES_BETWEEN_KILLS = 150, SIZE = { swappers: 5, listers: 2, watchers: 2 };

test.serial("nothing is lost, doubled, reordered or stale while the server is killed and started again", async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), "kaji-linear-")), file = (name: string): string => path.join(dir, name);
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const { ca } = ensureClusterPki({ dir, advertiseAddresses: ["127.0.0.1"], serviceNames: ["kubernetes"], clock: systemClock }), port = await freePort();
  writeFileSync(file("tokens.csv"), 'secret,admin,1,"system:masters"\n');
  let server = startServerProcess({ dir, port });
  const url = await server.ready;
  const record = new Recorder(), stop = new AbortController();
  const running = crowd(() => createClient({ server: url, caData: ca.certificatePem, token: "secret", component: "linear" }), record, SIZE, stop.signal);
  const killing = (async () => {
    for (let kill = 1; kill <= KILLS; kill++) {
      const target = record.acknowledged + WRITES_BETWEEN_KILLS;
      await until(`${target} acknowledged writes`, () => Promise.resolve(record.acknowledged >= target || undefined), systemClock, 120_000);
      server.child.kill("SIGKILL");
      await server.exited;
      server = startServerProcess({ dir, port });
      await server.ready;
    }
    const target = record.acknowledged + WRITES_BETWEEN_KILLS;
    await until(`${target} acknowledged writes`, () => Promise.resolve(record.acknowledged >= target || undefined), systemClock, 120_000);
  })();
  try { await Promise.race([killing, running]); await killing; } finally { stop.abort(); }
  await running;
  // Whoever comes last sees all that was ever acknowledged.
  const last = new Recorder(), end = new AbortController(), reading = crowd(() => createClient({ server: url, caData: ca.certificatePem, token: "secret", component: "linear" }), last, { swappers: 0, listers: 1, watchers: 0 }, end.signal);
  await until("a last list", () => Promise.resolve(last.lists.length > 0 || undefined), systemClock, 30_000);
  end.abort();
  await reading;
  server.child.kill("SIGTERM");
  t.is(await server.exited, 0, server.output.text);
  const history: History = { ...record.history, lists: [...record.lists, ...last.lists] };
  t.deepEqual(violations(history), []);
  t.true(record.acknowledged > KILLS * WRITES_BETWEEN_KILLS && record.lists.length > 10 && record.gets.length > 10 && record.watches.every(({ events }) => events.length > 10));
  t.log(`${record.writes.length} writes (${record.acknowledged} acknowledged, ${record.writes.filter(({ outcome }) => outcome === "unknown").length} unanswered), ${record.gets.length} gets, ${record.lists.length} lists, ${record.watches.map(({ events }) => events.length).join(" and ")} events`);
});

/** What the checker says of a server over such a store after so many writes, acknowledged or refused. */
async function judge(store: MemoryStore, writes: number): Promise<string[]> {
  const server = await startEphemeralApiServer({ store }), { certificatePem, keyPem } = server.admin, record = new Recorder(), stop = new AbortController();
  try {
    const running = crowd(() => createClient({ server: server.url, caData: server.caPem, certificateData: certificatePem, keyData: keyPem, component: "linear" }), record, SIZE, stop.signal);
    try { await Promise.race([until(`${writes} writes`, () => Promise.resolve(record.writes.length >= writes || undefined), systemClock, 60_000), running]); } finally { stop.abort(); }
    await running;
  } finally {
    await server.close();
    await store.close();
  }
  return violations(record.history);
}

test.serial("the checker is quiet about a store without bugs", async (t) => { t.deepEqual(await judge(new MemoryStore(), 600), []); });
test.serial("the checker finds acknowledged writes that were lost", async (t) => {
  const found = await judge(new ForgetfulStore(), 600);
  t.true(found.some((each) => /^(stale|broken chain|wrong list|one revision twice|watch missed)/.test(each)), found.join("\n"));
});
test.serial("the checker finds writes that replaced what they had not seen", async (t) => {
  const found = await judge(new CarelessStore(), 800);
  t.true(found.some((each) => each.startsWith("broken chain")), found.join("\n"));
});
test.serial("the checker finds writes that were made twice", async (t) => {
  const found = await judge(new StutteringStore(), 600);
  t.true(found.some((each) => /^(doubled|broken chain)/.test(each)), found.join("\n"));
});

const wrote = (value: string, base: number, invokedMs: number, revision: number): Write => ({ key: "k", value, base, invokedMs, returnedMs: invokedMs + 1, outcome: "done", revision });
const history = (more: Partial<History>): History => ({ writes: [], gets: [], lists: [], watches: [], ...more });
const read = (value: string, revision: number, invokedMs: number): Get => ({ key: "k", value, revision, invokedMs, returnedMs: invokedMs + 1 });

test.serial("violations() names each kind of wrong", (t) => {
  const writes = [wrote("a", 0, 0, 2), wrote("b", 2, 10, 3)], seen = (value: string, revision: number) => ({ key: "k", value, revision });
  t.deepEqual(violations(history({ writes, gets: [read("b", 3, 20)], watches: [{ fromRevision: 1, events: [seen("a", 2), seen("b", 3)] }], lists: [{ revision: 3, items: [seen("b", 3)], invokedMs: 20, returnedMs: 21 }] })), []);
  t.deepEqual(violations(history({ writes, gets: [read("a", 2, 20)] })), ["stale read: k at revision 2, though 3 was known before"]);
  t.deepEqual(violations(history({ writes, gets: [read("b", 3, 5), read("a", 2, 8)] })), ["stale read: k at revision 2, though 3 was known before"]);
  t.deepEqual(violations(history({ writes, gets: [read("b", 4, 20)] })), ["doubled: b at revision 3 and at 4"]);
  t.deepEqual(violations(history({ writes, gets: [read("x", 4, 20)] })), ["phantom: k holds x, which nobody wrote there"]);
  t.deepEqual(violations(history({ writes: [...writes, wrote("c", 2, 20, 4)] })), ["broken chain: c replaced revision 2 of k, but 3 was there"]);
  t.deepEqual(violations(history({ writes: [wrote("a", 0, 0, 3), { ...wrote("b", 0, 10, 2), key: "other" }] })), ["reordered: b has revision 2, though 3 was answered before it was asked for"]);
  t.deepEqual(violations(history({ writes, watches: [{ fromRevision: 1, events: [seen("b", 3)] }] })), ["watch missed a at revision 2"]);
  t.deepEqual(violations(history({ writes, watches: [{ fromRevision: 1, events: [seen("b", 3), seen("a", 2)] }] })), ["watch out of order: a at 2 after 3"]);
  t.deepEqual(violations(history({ writes, lists: [{ revision: 2, items: [seen("a", 2)], invokedMs: 20, returnedMs: 21 }] })), ["stale list: at revision 2, though 3 was answered before"]);
  t.deepEqual(violations(history({ writes, lists: [{ revision: 3, items: [], invokedMs: 20, returnedMs: 21 }] })), ["wrong list: k at revision none in a list of revision 3, 3 is due"]);
  const refused: Write = { ...wrote("c", 2, 4, 0), outcome: "refused" };
  t.deepEqual(violations(history({ writes: [...writes, refused], gets: [read("c", 9, 20)] })).slice(0, 1), ["refused write seen: c at revision 9"]);
  const unknown: Write = { key: "k", value: "c", base: 3, invokedMs: 12, returnedMs: Infinity, outcome: "unknown" };
  t.deepEqual(violations(history({ writes: [...writes, unknown], gets: [read("b", 3, 20), read("c", 4, 30)] })), []);
});
