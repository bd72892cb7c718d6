import test from "ava";
import { ClusterCache } from "../../../../lib/scheduler/cache/cluster-cache.ts";
import { selectorFromSet } from "../../../../lib/api/helpers/label-selector.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { makeNode, makePodInfo, makeWorld } from "../builders.ts";

const requested = (cache: ClusterCache, node: string): number => cache.node(node)?.requested.get("cpu") ?? 0;

test("an assumed pod counts at once, is confirmed where the watch says, and is forgotten when binding fails", (t) => {
  const { cache } = makeWorld([makeNode("a"), makeNode("b")]), pod = makePodInfo("p", { requests: { cpu: "1" } });
  cache.assume(pod, "a");
  t.is(requested(cache, "a"), 1_000);
  t.true(cache.isAssumed(pod.uid));
  cache.forget(pod.uid);
  t.is(requested(cache, "a"), 0);
  cache.assume(pod, "a");
  cache.setPod(makePodInfo("p", { requests: { cpu: "2" } }), "b"); // Someone else was faster: the watch is right.
  t.deepEqual([requested(cache, "a"), requested(cache, "b"), cache.isAssumed(pod.uid)], [0, 2_000, false]);
  cache.forget(pod.uid); // A late failure does not take a confirmed pod away.
  t.is(requested(cache, "b"), 2_000);
});

test("an assumption expires only when a time to live is set and the binding has finished", async (t) => {
  const clock = new ManualClock(), cache = new ClusterCache({ clock }, { assumedTtlMs: 1_000 });
  cache.setNode(makeNode("a"));
  cache.assume(makePodInfo("bound"), "a");
  cache.assume(makePodInfo("binding"), "a");
  cache.finishBinding("uid-default-bound");
  await clock.advance(999);
  t.deepEqual(cache.expire(), []);
  await clock.advance(1);
  t.deepEqual(cache.expire().map(({ name }) => name), ["bound"]);
  t.is(cache.assumedPods, 1);
});

test("pods seen before their node count when it comes, and stay known when it goes first", (t) => {
  const { cache } = makeWorld([]);
  cache.setPod(makePodInfo("p", { requests: { cpu: "1" } }), "late");
  t.deepEqual(cache.nodes, []);
  cache.setNode(makeNode("late"));
  t.is(requested(cache, "late"), 1_000);
  cache.removeNode("late");
  t.is(cache.node("late"), undefined);
  cache.removePod("uid-default-p");
  cache.setNode(makeNode("late"));
  t.is(requested(cache, "late"), 0);
});

test("ClusterCache.nodes takes one of each zone in turn", (t) => {
  const { cache } = makeWorld([makeNode("a1", { zone: "a" }), makeNode("a2", { zone: "a" }), makeNode("a3", { zone: "a" }), makeNode("b1", { zone: "b" }), makeNode("c1", { zone: "c" })]);
  t.deepEqual(cache.nodes.map(({ name }) => name), ["a1", "b1", "c1", "a2", "a3"]);
  cache.setNode(makeNode("a2", { zone: "c" }));
  t.deepEqual(cache.nodes.map(({ name }) => name), ["a1", "a2", "b1", "a3", "c1"]);
});

test("matchCounts follows pods as they come, change and go, without counting anew", (t) => {
  const { cache } = makeWorld([makeNode("a"), makeNode("b")]), web = selectorFromSet({ app: "web" });
  const counts = (): Record<string, number> => Object.fromEntries(cache.matchCounts.byNode("default", web));
  cache.setPod(makePodInfo("before", { labels: { app: "web" } }), "a");
  t.deepEqual(counts(), { a: 1 });
  cache.assume(makePodInfo("one", { labels: { app: "web" } }), "b");
  cache.setPod(makePodInfo("other", { labels: { app: "db" } }), "b");
  cache.setPod(makePodInfo("elsewhere", { namespace: "x", labels: { app: "web" } }), "b");
  t.deepEqual(counts(), { a: 1, b: 1 });
  cache.setPod(makePodInfo("before", { labels: { app: "db" } }), "a");
  cache.removePod("uid-default-one");
  t.deepEqual(counts(), {});
});

test("nodesWithAffinity holds exactly the nodes that have such pods", (t) => {
  const { cache } = makeWorld([makeNode("a")]);
  const shy = makePodInfo("shy", { spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "x" }] } } } });
  cache.setPod(shy, "a");
  t.is(cache.nodesWithAffinity.size, 1);
  cache.removePod(shy.uid);
  t.is(cache.nodesWithAffinity.size, 0);
});
