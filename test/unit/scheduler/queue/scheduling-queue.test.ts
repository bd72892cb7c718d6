import test from "ava";
import { PodInfo } from "../../../../lib/scheduler/cache/pod-info.ts";
import { DEFAULT_PROFILE } from "../../../../lib/scheduler/framework/profile.ts";
import { SchedulingQueue, UNSCHEDULABLE_MAX_MS, type QueuedPod } from "../../../../lib/scheduler/queue/scheduling-queue.ts";
import { ManualClock } from "../../../../lib/util/clock.ts";
import { makeNode, makePod, makePodInfo } from "../builders.ts";

function setUp(): { queue: SchedulingQueue; clock: ManualClock } {
  const clock = new ManualClock();
  return { clock, queue: new SchedulingQueue({ clock, plugins: DEFAULT_PROFILE.plugins.map(([plugin]) => plugin) }) };
}
const FIT = new Set(["NodeResourcesFit"]);
const drain = (queue: SchedulingQueue): string[] => { const names: string[] = []; for (let q = queue.take(); q !== undefined; q = queue.take()) names.push(q.pod.name); return names; };
const added = (cpu: string): { kind: "node-added"; node: ReturnType<typeof makeNode> } => ({ kind: "node-added", node: makeNode("new", { cpu }) });

test("SchedulingQueue.take() hands out by priority, then by age", async (t) => {
  const { queue, clock } = setUp();
  queue.add(makePodInfo("old"));
  await clock.advance(1);
  queue.add(makePodInfo("young"));
  queue.add(makePodInfo("urgent", { priority: 5 }));
  t.deepEqual(drain(queue), ["urgent", "old", "young"]);
});

test("SchedulingQueue.next() waits for a pod, and ends with its signal", async (t) => {
  const { queue } = setUp(), stop = new AbortController();
  const waiting = queue.next(stop.signal);
  queue.add(makePodInfo("p"));
  t.is((await waiting)?.pod.name, "p");
  const idle = queue.next(stop.signal);
  stop.abort();
  t.is(await idle, undefined);
});

test("a pod that fitted nowhere waits for an event that its rejecting plugin calls helpful, not for others", async (t) => {
  const { queue, clock } = setUp();
  queue.add(makePodInfo("p", { requests: { cpu: "8" } }));
  queue.addUnschedulable(queue.take()!, FIT);
  await clock.advance(20_000);
  queue.tell(added("4")); // Too small even when empty.
  queue.tell({ kind: "node-updated", node: makeNode("n", { cpu: "16" }), old: makeNode("n", { cpu: "16" }), aspects: new Set(["taints"]) });
  t.is(queue.partOf("uid-default-p"), "unschedulable");
  queue.tell(added("16"));
  t.is(queue.partOf("uid-default-p"), "active");
});

test("a pod rejected by taints is woken when the taint it cannot bear goes", (t) => {
  const { queue } = setUp(), tainted = makeNode("n", { taints: [{ key: "x", effect: "NoSchedule" }] });
  queue.add(makePodInfo("p"));
  queue.addUnschedulable(queue.take()!, new Set(["TaintToleration"]));
  queue.tell({ kind: "node-updated", node: tainted, old: tainted, aspects: new Set(["taints"]) });
  t.is(queue.partOf("uid-default-p"), "unschedulable");
  queue.tell({ kind: "node-updated", node: makeNode("n"), old: tainted, aspects: new Set(["taints"]) });
  t.is(queue.partOf("uid-default-p"), "backoff");
});

test("backoff doubles from 1 s to 10 s, and starts when the pod was rejected", async (t) => {
  const { queue, clock } = setUp(), uid = "uid-default-p";
  queue.add(makePodInfo("other", { priority: -1 })); // Else a pod in backoff is taken early.
  queue.add(makePodInfo("p"));
  let queued: QueuedPod = queue.take()!;
  for (const seconds of [1, 2, 4, 8, 10, 10]) {
    queue.addAfterError(queued);
    await clock.advance(seconds * 1_000 - 1);
    t.is(queue.partOf(uid), "backoff", `${seconds} s`);
    await clock.advance(1);
    t.is(queue.partOf(uid), "active", `${seconds} s`);
    queued = queue.take()!;
    t.is(queued.pod.uid, uid);
  }
  t.is(queued.attempts, 7);
});

test("a pod that backed off because it fitted nowhere is tried early when nothing else waits; one that met an error is not", (t) => {
  const { queue } = setUp();
  queue.add(makePodInfo("unfit"));
  queue.addUnschedulable(queue.take()!, FIT);
  queue.tell({ kind: "assigned-pod-deleted", pod: makePodInfo("gone"), node: "n" });
  t.is(queue.partOf("uid-default-unfit"), "backoff");
  t.is(queue.take()?.pod.name, "unfit");
  queue.add(makePodInfo("failed"));
  queue.addAfterError(queue.take()!);
  t.is(queue.take(), undefined);
});

test("a pod nobody helps is tried again after UNSCHEDULABLE_MAX_MS", async (t) => {
  const { queue, clock } = setUp();
  queue.add(makePodInfo("p"));
  queue.addUnschedulable(queue.take()!, FIT);
  await clock.advance(UNSCHEDULABLE_MAX_MS - 1);
  t.is(queue.partOf("uid-default-p"), "unschedulable");
  await clock.advance(30_001);
  t.is(queue.partOf("uid-default-p"), "active");
});

test("a pod with scheduling gates is out of the queue until they are gone", (t) => {
  const { queue } = setUp();
  queue.add(makePodInfo("p", { spec: { schedulingGates: [{ name: "example.com/quota" }] } }));
  t.is(queue.partOf("uid-default-p"), "gated");
  queue.tell({ kind: "anything" });
  t.is(queue.take(), undefined);
  queue.update(makePodInfo("p"));
  t.is(queue.take()?.pod.name, "p");
});

test("SchedulingQueue.update() retries a pod whose spec or labels changed, not one whose status did", (t) => {
  const { queue } = setUp(), pod = makePod("p");
  queue.add(new PodInfo(pod));
  queue.addUnschedulable(queue.take()!, FIT);
  queue.update(new PodInfo({ ...pod, status: { phase: "Pending", conditions: [{ type: "PodScheduled", status: "False" }] } }));
  t.is(queue.partOf("uid-default-p"), "unschedulable");
  queue.update(new PodInfo({ ...pod, spec: { ...pod.spec!, tolerations: [{ operator: "Exists" }] } }));
  t.is(queue.partOf("uid-default-p"), "backoff");
});

test("SchedulingQueue.delete() takes a pod out wherever it is", (t) => {
  const { queue } = setUp();
  for (const name of ["a", "b", "c"]) queue.add(makePodInfo(name));
  queue.addUnschedulable(queue.take()!, FIT);
  queue.addAfterError(queue.take()!);
  queue.add(makePodInfo("gated", { spec: { schedulingGates: [{ name: "g" }] } }));
  t.deepEqual(queue.sizes(), { active: 1, backoff: 1, unschedulable: 1, gated: 1 });
  for (const name of ["a", "b", "c", "gated"]) queue.delete(`uid-default-${name}`);
  t.deepEqual(queue.sizes(), { active: 0, backoff: 0, unschedulable: 0, gated: 0 });
});
