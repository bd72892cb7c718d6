import test from "ava";
import { ManualClock, systemClock } from "../../../lib/util/clock.ts";

test("ManualClock.advance() fires timers in order of time and moves both clocks", async (t) => {
  const clock = new ManualClock(new Date(0)), fired: number[] = [];
  clock.after(30, () => fired.push(clock.monotonicMs()));
  clock.after(10, () => fired.push(clock.monotonicMs()));
  const cancel = clock.after(20, () => fired.push(-1));
  cancel();
  await clock.advance(25);
  t.deepEqual(fired, [10]);
  await clock.advance(25);
  t.deepEqual(fired, [10, 30]);
  t.is(clock.now().getTime(), 50);
});

test("sleep() rejects as soon as its signal aborts", async (t) => {
  for (const clock of [systemClock, new ManualClock()]) {
    const stop = new AbortController(), sleeping = clock.sleep(60_000, stop.signal);
    stop.abort();
    await t.throwsAsync(sleeping, { name: "AbortError" });
    await t.throwsAsync(clock.sleep(1, stop.signal), { name: "AbortError" });
  }
});
