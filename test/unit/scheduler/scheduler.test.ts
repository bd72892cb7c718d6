import test from "ava";
import { Registry } from "prom-client";
import type { ResourceReference } from "../../../lib/api/reference.ts";
import { StatusError } from "../../../lib/api/status-error.ts";
import type { Pod } from "../../../lib/api/schema/generated/models.ts";
import { nodes, pods, priorityclasses } from "../../../lib/api/schema/generated/references.ts";
import type { ObjectKey } from "../../../lib/client/client.ts";
import type { EventSink } from "../../../lib/runtime/event-recorder.ts";
import { SharedInformers } from "../../../lib/runtime/shared-informers.ts";
import { Scheduler } from "../../../lib/scheduler/scheduler.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { FakeClient } from "../runtime/fake-client.ts";
import { turn } from "../runtime/turn.ts";
import { makeNode, makePod } from "./builders.ts";

/** Binds as the API server does. */
class BindingClient extends FakeClient {
  override async createSubresource<T = unknown>(resource: ResourceReference, key: ObjectKey, subresource: string, body: unknown, signal?: AbortSignal): Promise<T> {
    const result = await super.createSubresource<T>(resource, key, subresource, body, signal);
    const pod = this.peek(pods, `${key.namespace}/${key.name}`)!;
    if ((pod.spec!.nodeName ?? "") !== "") throw new StatusError("Conflict", `pod ${key.name} is already assigned`);
    this.seed(pods, { ...pod, spec: { ...pod.spec!, nodeName: (body as { target: { name: string } }).target.name } });
    return result;
  }
}

interface Running { client: BindingClient; clock: ManualClock; told: string[]; registry: Registry; settle(): Promise<void>; stop(): Promise<void>; where(name: string): string | undefined; pod(name: string): Pod | undefined }

function start(seed: (client: BindingClient) => void): Running {
  const clock = new ManualClock(), client = new BindingClient(clock), told: string[] = [], stop = new AbortController(), registry = new Registry();
  seed(client);
  const events: EventSink = { event: (about, type, reason, message) => { told.push(`${"metadata" in about ? about.metadata.name : about.name} ${type} ${reason}: ${message}`); } };
  const informers = new SharedInformers({ client, clock, log: silentLogger });
  const scheduler = new Scheduler({ client, clock, log: silentLogger, informers, events, registry, random: () => 0 });
  const running = [informers.run(stop.signal), scheduler.run(stop.signal)];
  const pod = (name: string): Pod | undefined => client.peek(pods, `default/${name}`);
  return {
    client, clock, told, registry, pod, where: (name) => pod(name)?.spec?.nodeName,
    settle: async () => { for (let i = 0; i < 10; i++) await turn(); },
    stop: async () => { stop.abort(); await Promise.all(running); },
  };
}

test("Scheduler binds through the API, tells so, and writes nothing else", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("four", { cpu: "4" }), makeNode("ten", { cpu: "10" }), makeNode("fifteen", { cpu: "15" })); client.seed(pods, makePod("p", { requests: { cpu: "5" } })); });
  await s.settle();
  t.is(s.where("p"), "fifteen");
  t.deepEqual(s.client.calls.map(({ verb, key, body }) => ({ verb, key, body })), [{
    verb: "create/binding", key: "default/p",
    body: { apiVersion: "v1", kind: "Binding", metadata: { namespace: "default", name: "p", uid: "uid-default-p" }, target: { kind: "Node", name: "fifteen" } },
  }]);
  t.deepEqual(s.told, ["p Normal Scheduled: Successfully assigned default/p to fifteen"]);
  await s.stop();
});

test("Scheduler gives a pod that fits nowhere the event and the condition once, and places it when room comes", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("small", { cpu: "1" })); client.seed(pods, makePod("p", { requests: { cpu: "2" } })); });
  await s.settle();
  const message = "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  t.deepEqual(s.told, [`p Warning FailedScheduling: ${message}`]);
  t.like(s.pod("p")!.status!.conditions![0], { type: "PodScheduled", status: "False", reason: "Unschedulable", message });
  t.is(s.client.calls.length, 1); // Its own patch does not make it try again.
  s.client.seed(nodes, makeNode("big", { cpu: "2" }));
  await s.settle();
  await s.clock.advance(1_000);
  await s.settle();
  t.is(s.where("p"), "big");
  await s.stop();
});

test("Scheduler leaves alone pods of other schedulers, finished and gated ones", async (t) => {
  const s = start((client) => {
    client.seed(nodes, makeNode("n"));
    const finished = makePod("finished");
    finished.status!.phase = "Succeeded";
    client.seed(pods, makePod("other", { spec: { schedulerName: "mine" } }), finished, makePod("gated", { spec: { schedulingGates: [{ name: "g" }] } }));
  });
  await s.settle();
  t.deepEqual(s.client.calls, []);
  const gated = s.pod("gated")!;
  delete gated.spec!.schedulingGates;
  s.client.seed(pods, gated);
  await s.settle();
  t.is(s.where("gated"), "n");
  await s.stop();
});

test("Scheduler counts what it has decided before the API server tells it: a burst never overcommits a node", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("a", { cpu: "2" }), makeNode("b", { cpu: "3" })); client.seed(pods, ...Array.from({ length: 6 }, (_, i) => makePod(`p${i}`, { requests: { cpu: "1" } }))); });
  await s.settle();
  const placed = s.client.all(pods).map((pod) => pod.spec!.nodeName ?? "-").sort();
  t.deepEqual(placed, ["-", "a", "a", "b", "b", "b"]);
  await s.stop();
});

test("Scheduler gives the place back when a binding is refused, and tries again after a backoff", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("n", { cpu: "1" })); client.seed(pods, makePod("p", { requests: { cpu: "1" } })); client.failNext("create", pods, new StatusError("InternalError", "not now")); });
  await s.settle();
  t.is(s.where("p"), undefined);
  t.deepEqual(s.told, ["p Warning FailedScheduling: binding rejected: not now"]);
  t.like(s.pod("p")!.status!.conditions![0], { reason: "SchedulerError" });
  await s.clock.advance(1_000);
  await s.settle();
  t.is(s.where("p"), "n");
  await s.stop();
});

test("Scheduler without nodes says so, and places the pod when the first one comes", async (t) => {
  const s = start((client) => { client.seed(pods, makePod("p")); });
  await s.settle();
  t.deepEqual(s.told, ["p Warning FailedScheduling: no nodes available to schedule pods"]);
  s.client.seed(nodes, makeNode("n"));
  await s.settle();
  await s.clock.advance(1_000);
  await s.settle();
  t.is(s.where("p"), "n");
  await s.stop();
});

test("Scheduler makes less important pods leave, promises the node, and binds when they are gone", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("n", { cpu: "2" })); client.seed(pods, makePod("low", { node: "n", priority: 1, requests: { cpu: "2" } }), makePod("high", { priority: 10, requests: { cpu: "2" } })); });
  await s.settle();
  await s.clock.advance(1_000);
  await s.settle();
  t.is(s.pod("low"), undefined);
  t.deepEqual(s.client.callsOf("delete", pods).map(({ key, parameters }) => ({ key, parameters })), [{ key: "default/low", parameters: { preconditions: { uid: "uid-default-low" } } }]);
  t.true(s.told.includes("low Normal Preempted: Preempted by pod uid-default-high on node n"));
  const patches = s.client.callsOf("patch/status", pods);
  t.like(patches.find(({ key }) => key === "default/low")!.body, { status: { conditions: [{ type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler", message: "default-scheduler: preempting to accommodate a higher priority pod" }] } });
  t.like(patches.find(({ key }) => key === "default/high")!.body, { status: { nominatedNodeName: "n", conditions: [{ message: "0/1 nodes are available: 1 Insufficient cpu." }] } });
  t.is(s.where("high"), "n");
  await s.stop();
});

test("Scheduler's metrics count attempts and pending pods under upstream's names", async (t) => {
  const s = start((client) => { client.seed(nodes, makeNode("n", { cpu: "1" })); client.seed(pods, makePod("fits"), makePod("large", { requests: { cpu: "8" } })); client.seed(priorityclasses); });
  await s.settle();
  const text = await s.registry.metrics();
  t.regex(text, /scheduler_schedule_attempts_total\{result="scheduled",profile="default-scheduler"\} 1/);
  t.regex(text, /scheduler_schedule_attempts_total\{result="unschedulable",profile="default-scheduler"\} 1/);
  t.regex(text, /scheduler_pending_pods\{queue="unschedulable"\} 1/);
  await s.stop();
});
