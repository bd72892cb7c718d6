import test from "ava";
import { Controller, TerminalError, type Reconcile } from "../../../lib/runtime/controller.ts";
import { ConnectionError } from "../../../lib/client/client.ts";
import { RuntimeMetrics } from "../../../lib/runtime/metrics.ts";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { turn } from "./turn.ts";

function rig(t: { teardown(f: () => Promise<void>): void }, reconcile: Reconcile, options: { workers?: number; waitFor?: { synced: Promise<void> }[] } = {}) {
  const clock = new ManualClock(), stop = new AbortController(), metrics = new RuntimeMetrics();
  const controller = new Controller({ clock, log: silentLogger, metrics }, { name: "test", reconcile, ...options });
  const running = controller.run(stop.signal);
  t.teardown(async () => { stop.abort(); await running; });
  return { clock, controller, metrics, stop, running };
}

test("Controller retries a throw with growing waits until it succeeds", async (t) => {
  const at: number[] = [];
  const { clock, controller } = rig(t, async () => { at.push(clock.monotonicMs()); if (at.length < 4) throw new Error("not yet"); return {}; });
  controller.queue.add("a");
  await turn();
  await clock.advance(1_000);
  t.deepEqual(at, [0, 5, 15, 35]);
  t.is(controller.queue.failures("a"), 0);
});

test("Controller does not retry a TerminalError", async (t) => {
  let calls = 0;
  const { clock, controller, metrics } = rig(t, async () => { calls++; throw new TerminalError("never"); });
  controller.queue.add("a");
  await turn();
  await clock.advance(5_000);
  t.is(calls, 1);
  t.regex(await metrics.registry.metrics(), /controller_runtime_reconcile_total\{controller="test",result="terminal"\} 1/);
});

test("Controller looks again after requeueAfterMs", async (t) => {
  let calls = 0;
  const { clock, controller } = rig(t, async () => (calls++ === 0 ? { requeueAfterMs: 500 } : {}));
  controller.queue.add("a");
  await turn();
  await clock.advance(499);
  t.is(calls, 1);
  await clock.advance(1);
  t.is(calls, 2);
});

test("Controller takes nothing before what it waits for has synced", async (t) => {
  let calls = 0, sync!: () => void;
  const { clock, controller } = rig(t, async () => { calls++; return {}; }, { waitFor: [{ synced: new Promise((resolve) => { sync = resolve; }) }] });
  controller.queue.add("a");
  await turn();
  await clock.advance(1_000);
  t.is(calls, 0);
  sync();
  await clock.advance(1);
  t.is(calls, 1);
});

test("Controller.run() settles only when a reconcile under way has", async (t) => {
  let finish!: () => void, ended = false;
  const { clock, controller, stop, running } = rig(t, () => new Promise((resolve) => { finish = () => resolve({}); }));
  controller.queue.add("a");
  await turn();
  await clock.advance(1);
  stop.abort();
  const settled = running.then(() => { ended = true; });
  await clock.advance(1);
  t.false(ended);
  finish();
  await settled;
  t.true(ended);
});

test("Controller works on as many keys at once as it has workers", async (t) => {
  let now = 0, most = 0;
  const { clock, controller } = rig(t, async () => { most = Math.max(most, ++now); await clock.sleep(10); now--; return {}; }, { workers: 3 });
  for (const key of ["a", "b", "c", "d", "e"]) controller.queue.add(key);
  for (let i = 0; i < 4; i++) await clock.advance(10);
  t.is(most, 3);
  t.is(now, 0);
});

test("Controller never waits longer than two seconds after a lost connection, however often it was lost", async (t) => {
  let calls = 0;
  const { clock, controller } = rig(t, async () => { calls++; throw new ConnectionError("gone"); });
  controller.queue.add("a");
  for (let i = 0; i < 60; i++) await clock.advance(500);
  const before = calls;
  await clock.advance(2_100);
  t.true(calls > before);
});
