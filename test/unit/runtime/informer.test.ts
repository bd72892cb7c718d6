import test from "ava";
import { Informer, type Change } from "../../../lib/runtime/informer.ts";
import { SharedInformers } from "../../../lib/runtime/shared-informers.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { configmaps, pods } from "../../../lib/api/schema/generated/references.ts";
import type { ConfigMap } from "../../../lib/api/schema/generated/models.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { FakeClient } from "./fake-client.ts";
import { turn } from "./turn.ts";

const map = (name: string, data: Record<string, string> = {}): ConfigMap => ({ metadata: { name, namespace: "x" }, data });
const tell = (c: Change<ConfigMap>): string => `${c.type} ${c.object.metadata.name}`;

function rig(t: { teardown(f: () => Promise<void>): void }) {
  const clock = new ManualClock(), client = new FakeClient(), stop = new AbortController(), seen: string[] = [];
  const informer = new Informer({ client, clock, log: silentLogger }, configmaps, { indexes: { colour: (o) => (o.data?.["colour"] === undefined ? [] : [o.data["colour"]]) } });
  informer.onChange((c) => seen.push(tell(c)));
  const start = (): void => { const running = informer.run(stop.signal); t.teardown(async () => { stop.abort(); await running; }); };
  return { clock, client, informer, seen, start };
}

test("Informer.synced resolves with the first list in the store, and changes follow", async (t) => {
  const { client, informer, seen, start } = rig(t);
  client.seed(configmaps, map("a"));
  t.false(informer.hasSynced);
  start();
  await informer.synced;
  t.is(informer.get("x/a")?.metadata.name, "a");
  client.seed(configmaps, map("b"), map("a", { k: "v" }));
  client.drop(configmaps, "x/b");
  await turn();
  t.deepEqual(seen, ["added a", "added b", "updated a", "deleted b"]);
  t.is(informer.size, 1);
});

test("Informer.byIndex() follows an object whose value changed", async (t) => {
  const { client, informer, start } = rig(t);
  client.seed(configmaps, map("a", { colour: "red" }));
  start();
  await informer.synced;
  t.is(informer.byIndex("colour", "red").length, 1);
  client.seed(configmaps, map("a", { colour: "blue" }));
  await turn();
  t.is(informer.byIndex("colour", "red").length, 0);
  t.is(informer.byIndex("colour", "blue").length, 1);
  t.throws(() => informer.byIndex("taste", "sweet"), { instanceOf: RangeError });
});

test("Informer resumes a lost watch from the last revision without listing again", async (t) => {
  const { clock, client, informer, seen, start } = rig(t);
  start();
  await informer.synced;
  await turn();
  client.cutWatches();
  await turn();
  client.failNext("watch", configmaps, new ConnectionError("Cannot connect"));
  client.seed(configmaps, map("late"));
  for (let i = 0; i < 4; i++) { await clock.advance(300); await turn(); }
  t.deepEqual(seen, ["added late"]);
  t.is(client.listsServed, 1);
});

test("Informer lists again when its revision expired, and tells what was deleted meanwhile", async (t) => {
  const { clock, client, informer, seen, start } = rig(t);
  client.seed(configmaps, map("a"), map("b"));
  start();
  await informer.synced;
  await turn();
  client.cutWatches();
  await turn();
  client.drop(configmaps, "x/a");
  client.seed(configmaps, map("b", { k: "v" }), map("c"));
  client.compact();
  for (let i = 0; i < 4; i++) { await clock.advance(300); await turn(); }
  t.deepEqual(seen.slice(2).sort(), ["added c", "deleted a", "updated b"]);
  t.is(client.listsServed, 2);
});

test("Informer tells deleted and added when an object was replaced by another of its name while it was away", async (t) => {
  const { clock, client, informer, seen, start } = rig(t);
  client.seed(configmaps, map("a"));
  start();
  await informer.synced;
  await turn();
  client.cutWatches();
  await turn();
  client.drop(configmaps, "x/a");
  client.seed(configmaps, map("a"));
  client.compact();
  for (let i = 0; i < 4; i++) { await clock.advance(300); await turn(); }
  t.deepEqual(seen, ["added a", "deleted a", "added a"]);
});

test("Informer backs off while the server is away and lists once it is back", async (t) => {
  const { clock, client, informer, start } = rig(t);
  for (let i = 0; i < 3; i++) client.failNext("list", configmaps, new ConnectionError("Cannot connect"));
  start();
  await turn();
  await clock.advance(99);
  t.is(client.listsServed, 0);
  await clock.advance(150 + 300 + 600);
  await informer.synced;
  t.is(client.listsServed, 1);
});

test("Informer.onChange() tells a late handler what is there, and one that throws stops nobody", async (t) => {
  const { client, informer, seen, start } = rig(t);
  informer.onChange(() => { throw new Error("a bug"); });
  client.seed(configmaps, map("a"));
  start();
  await informer.synced;
  const late: string[] = [];
  const remove = informer.onChange((c) => late.push(tell(c)));
  remove();
  client.seed(configmaps, map("b"));
  await turn();
  t.deepEqual(late, ["added a"]);
  t.deepEqual(seen, ["added a", "added b"]);
});

test("Informer drops managedFields", async (t) => {
  const { client, informer, start } = rig(t);
  client.seed(configmaps, { ...map("a"), metadata: { ...map("a").metadata, managedFields: [{ manager: "kubectl" }] } });
  start();
  await informer.synced;
  t.is(informer.get("x/a")!.metadata.managedFields, undefined);
});

test("SharedInformers.get() gives one informer, so one watch, a resource", async (t) => {
  const client = new FakeClient(), stop = new AbortController();
  const shared = new SharedInformers({ client, clock: new ManualClock(), log: silentLogger });
  const first = shared.get(pods);
  const running = shared.run(stop.signal);
  t.is(shared.get(pods, { indexes: { node: (p) => (p.spec.nodeName === undefined ? [] : [p.spec.nodeName]) } }), first);
  t.is(shared.get(pods, { metadataOnly: true }), first);
  t.not(shared.get(pods, { fieldSelector: "spec.nodeName=n1" }), first); // Asked for while running: starts at once.
  await shared.synced();
  await turn();
  t.is(client.watchesOpened.length, 2);
  t.deepEqual(first.byIndex("node", "n1"), []);
  stop.abort();
  await running;
});
