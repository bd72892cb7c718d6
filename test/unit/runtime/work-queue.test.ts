import test from "ava";
import { WorkQueue } from "../../../lib/runtime/work-queue.ts";
import { ManualClock } from "../../../lib/util/clock.ts";

const build = (): { queue: WorkQueue; clock: ManualClock } => { const clock = new ManualClock(); return { clock, queue: new WorkQueue({ clock }) }; };

test("WorkQueue.take() hands out a key added many times once", (t) => {
  const { queue } = build();
  queue.add("a"); queue.add("a"); queue.add("b");
  t.deepEqual([queue.take(), queue.take(), queue.take()], ["a", "b", undefined]);
});

test("WorkQueue.done() hands a key out again when it was added while in progress", (t) => {
  const { queue } = build();
  queue.add("a");
  t.is(queue.take(), "a");
  queue.add("a");
  t.is(queue.take(), undefined); // Never with two workers at once.
  queue.done("a");
  t.is(queue.take(), "a");
});

test("WorkQueue.next() wakes exactly one waiter a key", async (t) => {
  const { queue } = build();
  const first = queue.next(), second = queue.next();
  queue.add("a");
  t.is(await first, "a");
  queue.shutDown();
  t.is(await second, undefined);
});

test("WorkQueue.addAfter() keeps the earliest of several times", async (t) => {
  const { queue, clock } = build();
  queue.addAfter("a", 1_000); queue.addAfter("a", 200); queue.addAfter("a", 500);
  await clock.advance(199);
  t.is(queue.take(), undefined);
  await clock.advance(1);
  t.is(queue.take(), "a");
  queue.done("a");
  await clock.advance(2_000);
  t.is(queue.take(), undefined);
});

test("WorkQueue.addRateLimited() doubles the wait of one key until it is forgotten", async (t) => {
  const { queue, clock } = build();
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    const start = clock.monotonicMs();
    queue.addRateLimited("a");
    for (;;) { const key = queue.take(); if (key !== undefined) { queue.done(key); break; } await clock.advance(1); }
    waits.push(clock.monotonicMs() - start);
    if (i === 2) queue.forget("a");
  }
  t.deepEqual(waits, [5, 10, 20, 5]);
});

test("WorkQueue.shutDown() drops what waits, is delayed, or is added later", async (t) => {
  const { queue, clock } = build();
  queue.add("a"); queue.addAfter("b", 10);
  queue.shutDown();
  queue.add("c");
  await clock.advance(20);
  t.is(queue.take(), undefined);
  t.is(await queue.next(), undefined);
});
