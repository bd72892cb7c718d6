import test from "ava";
import { alreadyExists, conflict, notFound } from "../../../lib/api/status-error.ts";
import type { Lease, Node } from "../../../lib/api/schema/generated/models.ts";
import type { Client } from "../../../lib/client/client.ts";
import type { Cri } from "../../../lib/cri/client.ts";
import { CriCode, CriError } from "../../../lib/cri/error.ts";
import { NodeAgent } from "../../../lib/kubelet/node-agent.ts";
import type { NodeFacts } from "../../../lib/kubelet/node-status.ts";
import type { PodGlance, RuntimeReader } from "../../../lib/kubelet/runtime-reader.ts";
import { RuntimeWatch } from "../../../lib/kubelet/runtime-watch.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";

interface World { agent: NodeAgent; clock: ManualClock; calls: string[]; told: string[]; notReady: string[]; fail: Map<string, Error>; objects: { node?: Node; lease?: Lease }; stop: () => Promise<void> }
function makeWorld(existing?: Node): World {
  const clock = new ManualClock(), calls: string[] = [], told: string[] = [], notReady: string[] = [], fail = new Map<string, Error>(), objects: World["objects"] = existing === undefined ? {} : { node: existing };
  const note = (verb: string, plural: string): void => { calls.push(`${verb} ${plural}`); const error = fail.get(`${verb} ${plural}`); if (error !== undefined) throw error; };
  const client = {
    create: async (resource: { plural: string; group: string }, object: Node & Lease) => {
      note("create", resource.plural);
      if (resource.plural === "nodes") { if (objects.node !== undefined) throw alreadyExists(resource, "n1"); return objects.node = { ...object, metadata: { ...object.metadata, uid: "nu" } }; }
      return objects.lease = object;
    },
    get: async (resource: { plural: string; group: string }) => { note("get", resource.plural); const found = resource.plural === "nodes" ? objects.node : objects.lease; if (found === undefined) throw notFound(resource, "n1"); return found; },
    update: async (resource: { plural: string }, object: Lease) => { note("update", resource.plural); return objects.lease = object; },
    patch: async (resource: { plural: string }, _: unknown, type: string, patch: Node) => { note(`patch-${type}`, resource.plural); return objects.node = { ...objects.node!, metadata: { ...objects.node!.metadata, labels: { ...objects.node!.metadata.labels, ...patch.metadata?.labels } }, ...(patch.status === undefined ? {} : { status: { ...patch.status, addresses: patch.status.addresses!.slice(1) } }) }; },
  } as unknown as Client;
  const facts = async (): Promise<NodeFacts> => ({
    machine: { cpus: 1, memoryBytes: 2 ** 30, swapBytes: 0, machineId: "m", systemUuid: "s", bootId: "b", kernelVersion: "k", osImage: "o", architecture: "amd64" }, hostname: "n1", addresses: ["10.0.0.1"], kubeletPort: 10_250, runtimeVersion: "r",
    capacity: { cpuMilli: 1_000, memoryBytes: 2 ** 30, ephemeralStorageBytes: 1, pods: 1 }, reserved: { cpuMilli: 0, memoryBytes: 0, ephemeralStorageBytes: 0, pods: 0 }, evictionMemoryBytes: 0, images: [], pressure: { memory: false, disk: false, pids: false }, notReady: [...notReady],
  });
  const events = { event: (_: unknown, type: string, reason: string) => { told.push(`${type} ${reason}`); } };
  const agent = new NodeAgent({ client, clock, log: silentLogger, events, facts }, { nodeName: "n1", hostname: "n1", labels: { extra: "1" }, taints: [{ key: "t", effect: "NoSchedule" }], leaseDurationSeconds: 12, statusCheckMs: 10_000, statusReportMs: 300_000 });
  const stop = new AbortController(), running = agent.run(stop.signal);
  return { agent, clock, calls, told, notReady, fail, objects, stop: async () => { stop.abort(); await clock.advance(1); await running; } };
}
/** Lets what is under way settle before time moves. */
const pass = async (clock: ManualClock, ms: number): Promise<void> => { await new Promise((resolve) => { setImmediate(resolve); }); await clock.advance(ms); };
const count = (world: World, call: string): number => world.calls.filter((c) => c === call).length;

test("NodeAgent registers a new node with its labels and taints, and says it is ready", async (t) => {
  const world = makeWorld();
  await pass(world.clock, 200);
  t.like(world.objects.node!.metadata.labels, { "kubernetes.io/hostname": "n1", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", extra: "1" });
  t.deepEqual(world.objects.node!.spec!.taints, [{ key: "t", effect: "NoSchedule" }]);
  t.deepEqual(world.told, ["Normal Starting", "Normal NodeHasSufficientMemory", "Normal NodeHasNoDiskPressure", "Normal NodeHasSufficientPID", "Normal NodeReady"]);
  await world.stop();
});
test("NodeAgent keeps a node that is there, adding only labels it lacks", async (t) => {
  const world = makeWorld({ metadata: { name: "n1", uid: "old", labels: { theirs: "x" } }, spec: { taints: [{ key: "other", effect: "NoExecute" }] } });
  await pass(world.clock, 200);
  t.like(world.objects.node, { metadata: { uid: "old", labels: { theirs: "x", extra: "1" } }, spec: { taints: [{ key: "other", effect: "NoExecute" }] } });
  await world.stop();
});
test("NodeAgent renews its lease every quarter of its duration, owned by the node", async (t) => {
  const world = makeWorld();
  await pass(world.clock, 10_000);
  t.deepEqual([count(world, "create leases"), count(world, "update leases")], [1, 3]);
  t.like(world.objects.lease, { metadata: { name: "n1", namespace: "kube-node-lease", ownerReferences: [{ kind: "Node", uid: "nu" }] }, spec: { holderIdentity: "n1", leaseDurationSeconds: 12 } });
  await world.stop();
});
test("NodeAgent takes its lease back after a conflict and tries again while the server is away", async (t) => {
  const world = makeWorld();
  await pass(world.clock, 100);
  world.fail.set("update leases", conflict({ group: "", plural: "leases" }, "n1", "x"));
  world.fail.set("create leases", new Error("down"));
  await pass(world.clock, 6_000);
  t.true(count(world, "create leases") > 2);
  world.fail.clear();
  const before = world.objects.lease!.spec!.renewTime!;
  await pass(world.clock, 4_000);
  t.true(world.objects.lease!.spec!.renewTime! > before);
  await world.stop();
});
test("NodeAgent writes its status at once when it changes, else only when it is time", async (t) => {
  const world = makeWorld();
  await pass(world.clock, 60_000);
  t.is(count(world, "patch-strategic nodes"), 1);
  world.notReady.push("container runtime is down");
  world.agent.wake();
  await pass(world.clock, 100);
  t.is(world.objects.node!.status!.conditions!.find((c) => c.type === "Ready")!.status, "False");
  t.is(world.told.at(-1), "Normal NodeNotReady");
  world.notReady.pop();
  await pass(world.clock, 600); // A node that is not ready is looked at more often.
  t.is(world.told.at(-1), "Normal NodeReady");
  await pass(world.clock, 301_000);
  t.is(count(world, "patch-strategic nodes"), 4);
  await world.stop();
});
test("NodeAgent registers again when someone deleted the node", async (t) => {
  const world = makeWorld();
  await pass(world.clock, 100);
  delete world.objects.node;
  world.fail.set("patch-strategic nodes", notFound({ group: "", plural: "nodes" }, "n1"));
  world.notReady.push("x");
  world.agent.wake();
  await pass(world.clock, 100);
  t.is(count(world, "create nodes"), 2);
  await world.stop();
});

interface Watching { watch: RuntimeWatch; clock: ManualClock; changed: string[]; lists: number; pods: Map<string, PodGlance>; fire: () => void; broken: boolean; stop: () => Promise<void> }
function makeWatch(hasEvents: boolean): Watching {
  const clock = new ManualClock(), changed: string[] = [], world: Watching = { watch: undefined as never, clock, changed, lists: 0, pods: new Map(), fire: () => undefined, broken: false, stop: undefined as never };
  const reader = { glance: async () => { world.lists++; if (world.broken) throw new Error("down"); return new Map(world.pods); } } as unknown as RuntimeReader;
  async function* stream(signal: AbortSignal): AsyncGenerator<object> {
    if (!hasEvents) throw new CriError("x", CriCode.UNIMPLEMENTED, "");
    while (!signal.aborted) { await new Promise<void>((resolve) => { world.fire = resolve; signal.addEventListener("abort", () => resolve(), { once: true }); }); yield {}; }
  }
  const cri = { containerEvents: () => ({ async *[Symbol.asyncIterator]() { yield await Promise.reject(new CriError("x", CriCode.UNIMPLEMENTED, "")); } }), containerdEvents: (_: unknown, signal: AbortSignal) => stream(signal) } as unknown as Cri;
  world.watch = new RuntimeWatch({ cri, reader, clock, log: silentLogger, onChange: (uid) => { changed.push(uid); } });
  const stop = new AbortController(), running = world.watch.run(stop.signal);
  world.stop = async () => { stop.abort(); world.fire(); await clock.advance(100); await running; };
  return world;
}
const glance = (uid: string, fingerprint: string): PodGlance => ({ uid, name: "", namespace: "", node: "n1", fingerprint, sandboxIds: [], running: true });

test("RuntimeWatch reports pods that came, changed and went, and only those", async (t) => {
  const world = makeWatch(false);
  world.pods.set("a", glance("a", "1")).set("b", glance("b", "1"));
  await pass(world.clock, 100);
  world.changed.length = 0;
  world.pods.set("a", glance("a", "2"));
  await pass(world.clock, 1_200);
  t.deepEqual(world.changed, ["a"]);
  world.pods.delete("b");
  await pass(world.clock, 1_200);
  t.deepEqual(world.changed, ["a", "b"]);
  await world.stop();
});
test("RuntimeWatch lists every second without events, and after an event at once", async (t) => {
  const slow = makeWatch(false), quick = makeWatch(true);
  await Promise.all([pass(slow.clock, 10_000), pass(quick.clock, 10_000)]);
  t.true(slow.lists >= 9);
  t.true(quick.lists < slow.lists + 6);
  quick.pods.set("a", glance("a", "1"));
  quick.fire();
  await pass(quick.clock, 60);
  t.deepEqual(quick.changed, ["a"]);
  await Promise.all([slow.stop(), quick.stop()]);
});
test("RuntimeWatch says when the runtime does not answer, and is unhealthy after three minutes", async (t) => {
  const world = makeWatch(false);
  await pass(world.clock, 100);
  t.true(world.watch.healthy);
  world.broken = true;
  await pass(world.clock, 2_000);
  t.is(world.watch.error?.message, "down");
  t.true(world.watch.healthy);
  await pass(world.clock, 181_000);
  t.false(world.watch.healthy);
  await world.stop();
});
