import test from "ava";
import { getEventListeners } from "node:events";
import { ManualClock } from "../../../lib/util/clock.ts";
import { Wakeup } from "../../../lib/util/wakeup.ts";

test("Wakeup remembers a ring nobody waited for, and rings at the earliest time asked", async (t) => {
  const clock = new ManualClock(), wakeup = new Wakeup(clock), signal = new AbortController().signal;
  wakeup.ring();
  t.true(await wakeup.wait(signal));
  wakeup.ringIn(500);
  wakeup.ringIn(100);
  let woken = false;
  const waiting = wakeup.wait(signal).then((rung) => { woken = true; return rung; });
  await clock.advance(99);
  t.false(woken);
  await clock.advance(1);
  t.false(await waiting, "the time came, nobody rang");
});

test("Wakeup.wait() ends when the signal aborts, and at once when it has", async (t) => {
  const wakeup = new Wakeup(new ManualClock()), stop = new AbortController();
  const waiting = wakeup.wait(stop.signal);
  stop.abort();
  t.false(await waiting);
  t.false(await wakeup.wait(stop.signal));
});

test("Wakeup.wait() leaves no listener on a signal that lives on", async (t) => {
  const wakeup = new Wakeup(new ManualClock()), { signal } = new AbortController();
  for (let i = 0; i < 20; i++) {
    const waiting = wakeup.wait(signal);
    wakeup.ring();
    await waiting;
  }
  t.is(getEventListeners(signal, "abort").length, 0);
});
