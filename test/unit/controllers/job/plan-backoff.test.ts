import test from "ava";
import { NO_FAILURES, POD_FAILURE_BACKOFF_MAX_MS, nextBackoff, remainingBackoffMs, remainingIndexBackoffMs } from "../../../../lib/controllers/job/plan-backoff.ts";
import { at } from "../build.ts";
import { makeJobPod } from "./build.ts";

const failed = (endedAt: number) => makeJobPod({ phase: "Failed", endedAt }), succeeded = (endedAt: number) => makeJobPod({ phase: "Succeeded", endedAt }), ms = (seconds: number) => Date.parse(at(seconds));

test("nextBackoff() counts failures since the last success", (t) => {
  t.deepEqual(nextBackoff(NO_FAILURES, [], [failed(10), failed(5)]), { failures: 2, lastFailureMs: ms(10) });
  t.deepEqual(nextBackoff({ failures: 3, lastFailureMs: ms(1) }, [], [failed(10)]), { failures: 4, lastFailureMs: ms(10) });
  t.deepEqual(nextBackoff({ failures: 3, lastFailureMs: ms(1) }, [succeeded(8)], [failed(10), failed(5)]), { failures: 1, lastFailureMs: ms(10) });
  t.deepEqual(nextBackoff({ failures: 3, lastFailureMs: ms(1) }, [succeeded(8)], []), NO_FAILURES);
  t.deepEqual(nextBackoff({ failures: 3, lastFailureMs: ms(1) }, [], []), { failures: 3, lastFailureMs: ms(1) });
});

test("remainingBackoffMs() is 10 s, doubled each time, at most 10 minutes, from the last failure on", (t) => {
  const wait = (failures: number, now = 0) => remainingBackoffMs({ failures, lastFailureMs: ms(0) }, ms(now));
  t.deepEqual([wait(0), wait(1), wait(2), wait(3), wait(50)], [0, 10_000, 20_000, 40_000, POD_FAILURE_BACKOFF_MAX_MS]);
  t.deepEqual([wait(1, 4), wait(1, 10), wait(1, 99)], [6_000, 0, 0]);
});

test("remainingIndexBackoffMs() tells from the index's last failed pod", (t) => {
  t.is(remainingIndexBackoffMs(undefined, ms(0)), 0);
  t.is(remainingIndexBackoffMs(makeJobPod({ phase: "Failed", index: 1, failures: 2, endedAt: 0 }), ms(0)), 40_000);
});
