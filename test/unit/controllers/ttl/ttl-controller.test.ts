import test from "ava";
import { secondsOf, stepFor } from "../../../../lib/controllers/ttl/ttl-controller.ts";

test("stepFor() goes up beyond a step's end, and down only below its beginning", (t) => {
  const seconds: number[] = [];
  let step = 0;
  for (const count of [1, 100, 101, 95, 90, 89, 501, 460, 2_001, 1_801, 1_799, 0]) seconds.push(secondsOf(step = stepFor(count, step)));
  t.deepEqual(seconds, [0, 0, 15, 15, 15, 0, 30, 30, 300, 300, 60, 0]);
});
