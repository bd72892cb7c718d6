import test from "ava";
import { EventBroadcaster, EVENTS_QUEUED_MAX } from "../../../lib/runtime/event-recorder.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { events, eventsEvents } from "../../../lib/api/schema/generated/references.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { FakeClient } from "./fake-client.ts";
import { turn } from "./turn.ts";

const pod = (name = "web", uid = "u1") => ({ kind: "Pod", apiVersion: "v1", metadata: { name, namespace: "x", uid, resourceVersion: "5" } });
function rig(t: { teardown(f: () => Promise<void>): void }, running = true) {
  const client = new FakeClient(), clock = new ManualClock(), stop = new AbortController();
  const broadcaster = new EventBroadcaster({ client, clock, log: silentLogger });
  if (running) { const run = broadcaster.run(stop.signal); t.teardown(async () => { stop.abort(); await run; }); }
  return { client, clock, broadcaster, stop };
}

test("EventSink.event() writes a core event as upstream shapes it", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  broadcaster.recorder({ component: "kubelet", host: "n1" }).event(pod(), "Normal", "Pulled", "Container image pulled", { fieldPath: "spec.containers{web}" });
  await clock.advance(1);
  t.like(client.all(events)[0], {
    reason: "Pulled", message: "Container image pulled", type: "Normal", count: 1, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:00Z",
    source: { component: "kubelet", host: "n1" }, reportingComponent: "kubelet", reportingInstance: "n1",
    involvedObject: { kind: "Pod", namespace: "x", name: "web", uid: "u1", apiVersion: "v1", resourceVersion: "5", fieldPath: "spec.containers{web}" },
  });
  t.regex(client.all(events)[0]!.metadata.name, /^web\.[0-9a-f]{16}$/);
});

test("EventSink.event() counts what repeats instead of writing it anew", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  const recorder = broadcaster.recorder({ component: "c" });
  for (let i = 0; i < 3; i++) { recorder.event(pod(), "Warning", "BackOff", "again"); await clock.advance(1_000); }
  t.is(client.all(events).length, 1);
  t.like(client.all(events)[0], { count: 3, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:02Z" });
});

test("EventSink.event() combines many alike and stops one object from flooding", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  const recorder = broadcaster.recorder({ component: "c" });
  for (let i = 0; i < 100; i++) recorder.event(pod(), "Warning", "Failed", `attempt ${i}`);
  recorder.event(pod("other", "u2"), "Normal", "Fine", "another object is not affected");
  await clock.advance(10);
  const messages = client.all(events).filter((e) => e.involvedObject.name === "web");
  t.is(messages.length, 10); // Nine of their own and one combined.
  t.is(messages.filter((e) => e.message!.startsWith("(combined from similar events): ")).length, 1);
  t.is(client.all(events).length, 11);
  t.is(client.calls.length, 26);
});

test("EventSink.event() writes events.k8s.io events with a series when asked to", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  const recorder = broadcaster.recorder({ component: "default-scheduler", host: "m1", api: "events.k8s.io" });
  for (let i = 0; i < 2; i++) { recorder.event(pod(), "Normal", "Scheduled", "assigned", { action: "Binding" }); await clock.advance(10); }
  t.like(client.all(eventsEvents)[0], { action: "Binding", note: "assigned", reportingController: "default-scheduler", reportingInstance: "default-scheduler-m1", eventTime: "2026-01-01T00:00:00.000000Z", series: { count: 2 } });
});

test("EventSink.event() writes a new event when the server has forgotten the old one", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  const recorder = broadcaster.recorder({ component: "c" });
  recorder.event(pod(), "Normal", "A", "a");
  await clock.advance(1);
  client.drop(events, `x/${client.all(events)[0]!.metadata.name}`);
  recorder.event(pod(), "Normal", "A", "a");
  await clock.advance(1);
  t.is(client.all(events)[0]!.count, 2);
});

test("EventBroadcaster drops beyond its bound and never blocks", (t) => {
  const { broadcaster } = rig(t, false);
  const recorder = broadcaster.recorder({ component: "c" });
  t.notThrows(() => { for (let i = 0; i < EVENTS_QUEUED_MAX * 2; i++) recorder.event(pod(`p${i}`, `u${i}`), "Normal", "A", "a"); });
});

test("EventBroadcaster tries again after a lost connection, then lets the event go", async (t) => {
  const { client, clock, broadcaster } = rig(t);
  const recorder = broadcaster.recorder({ component: "c" });
  client.failNext("create", events, new ConnectionError("gone"));
  recorder.event(pod(), "Normal", "A", "a");
  await turn();
  await clock.advance(2_001);
  await turn();
  t.is(client.all(events).length, 1);
  for (let i = 0; i < 3; i++) client.failNext("create", events, new ConnectionError("gone"));
  recorder.event(pod("b", "u2"), "Normal", "A", "a");
  for (let i = 0; i < 6; i++) { await turn(); await clock.advance(2_001); }
  t.is(client.all(events).length, 1);
});
