import test from "ava";
import fc from "fast-check";
import { Fifo } from "../../../lib/util/fifo.ts";

test("Fifo gives what a list gives, however often it is filled and emptied", (t) => {
  fc.assert(fc.property(fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 12 }), (steps) => {
    const fifo = new Fifo<number>();
    let pushed = 0, taken = 0;
    // Positive: so many come; negative: so many are taken.
    for (const step of steps) {
      for (let i = 0; i < step; i++) fifo.push(pushed++);
      for (let i = 0; i > step; i--) {
        const item = fifo.shift();
        t.is(item, taken < pushed ? taken++ : undefined);
      }
      t.is(fifo.length, pushed - taken);
    }
  }), { numRuns: 20 });
});
