import test from "ava";
import { ManualClock } from "../../../lib/util/clock.ts";
import { silentLogger } from "../../../lib/util/logger.ts";
import { readyOnce, ServiceNotifier } from "../../../lib/util/service-notifier.ts";

function setUp(env: NodeJS.ProcessEnv, failing = false) {
  const sent: string[] = [], clock = new ManualClock(), errors: string[] = [];
  const log = { ...silentLogger, error: (_: Record<string, unknown>, message: string) => { errors.push(message); } };
  const notifier = new ServiceNotifier({ env, pid: 7, clock, log, send: async (message, socket) => { sent.push(`${message} to ${socket}`); if (failing) throw new Error("no"); } });
  return { notifier, sent, clock, env, errors };
}
const settled = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });
const UNIT = { NOTIFY_SOCKET: "/run/notify", WATCHDOG_USEC: "30000000", WATCHDOG_PID: "7", HOME: "/" };

test("ServiceNotifier says ready once, then lives six times in each period of the watchdog, then no more", async (t) => {
  const { notifier, sent, clock } = setUp({ ...UNIT });
  t.deepEqual(sent, []);
  notifier.ready();
  notifier.ready();
  await settled();
  t.deepEqual(sent, ["READY=1 to /run/notify"]);
  for (let i = 0; i < 6; i++) { await clock.advance(5_000); await settled(); }
  t.deepEqual(sent.slice(1), Array.from({ length: 6 }, () => "WATCHDOG=1 to /run/notify"));
  notifier.stopping();
  await notifier.close();
  t.is(sent.at(-1), "STOPPING=1 to /run/notify");
  await clock.advance(60_000);
  await settled();
  t.is(sent.length, 8);
});
test("ServiceNotifier sends its words in time though those before are still on their way, and ends after the last of them", async (t) => {
  const sent: string[] = [], clock = new ManualClock(), arrivals: (() => void)[] = [];
  const notifier = new ServiceNotifier({ env: { ...UNIT }, pid: 7, clock, log: silentLogger, send: (message) => { sent.push(message); return new Promise<void>((resolve) => { arrivals.push(resolve); }); } });
  notifier.ready();
  for (let i = 0; i < 2; i++) { await settled(); await clock.advance(5_000); }
  await settled();
  t.deepEqual(sent, ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
  let closed = false;
  const closing = notifier.close().then(() => { closed = true; });
  arrivals.slice(1).forEach((arrive) => arrive());
  await settled();
  t.false(closed, "one is still on its way");
  arrivals[0]!();
  await closing;
});
test("ServiceNotifier is silent outside a unit, and leaves nothing of it to children", async (t) => {
  const { notifier, sent } = setUp({});
  notifier.ready();
  notifier.stopping();
  await notifier.close();
  t.deepEqual(sent, []);
  t.deepEqual(setUp({ ...UNIT }).env, { HOME: "/" });
});
test("ServiceNotifier feeds no watchdog that is another process's, or absent", async (t) => {
  for (const env of [{ ...UNIT, WATCHDOG_PID: "8" }, { NOTIFY_SOCKET: "/run/notify" }]) {
    const { notifier, sent, clock } = setUp(env);
    notifier.ready();
    await settled();
    await clock.advance(60_000);
    await settled();
    t.deepEqual(sent, ["READY=1 to /run/notify"]);
    await notifier.close();
  }
});
test("ServiceNotifier goes on when a message cannot be sent, and tells the log once", async (t) => {
  const { notifier, sent, clock, errors } = setUp({ ...UNIT }, true);
  notifier.ready();
  await settled();
  await clock.advance(5_000);
  await settled();
  t.is(sent.length, 2);
  t.is(errors.length, 1);
  await notifier.close();
});
test("readyOnce() asks until nothing is thrown, says ready once, and ends with its signal", async (t) => {
  const clock = new ManualClock(), stop = new AbortController();
  let asked = 0, said = 0;
  const running = readyOnce(async () => { if (++asked < 3) throw new Error("not yet"); }, { ready: () => { said++; } }, clock).run(stop.signal);
  for (let i = 0; i < 5; i++) { await settled(); await clock.advance(500); }
  t.deepEqual([asked, said], [3, 1]);
  stop.abort();
  await running;
});
