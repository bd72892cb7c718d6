import test from "ava";
import { FAILED_POD_BACKOFF_MAX_MS, FailedPodBackoff } from "../../../../lib/controllers/daemonset/failed-pod-backoff.ts";

test("FailedPodBackoff doubles from a second to its limit, each key on its own, and forgets what was quiet for long", (t) => {
  let nowMs = 0;
  const backoff = new FailedPodBackoff({ monotonicMs: () => nowMs });
  t.is(backoff.remainingMs("a"), 0);
  backoff.removed("a");
  t.deepEqual([backoff.remainingMs("a"), backoff.remainingMs("b")], [1_000, 0]);
  nowMs = 400;
  t.is(backoff.remainingMs("a"), 600);
  nowMs = 1_000;
  backoff.removed("a");
  t.is(backoff.remainingMs("a"), 2_000);
  for (let i = 0; i < 20; i++) backoff.removed("a");
  t.is(backoff.remainingMs("a"), FAILED_POD_BACKOFF_MAX_MS);
  nowMs += 2 * FAILED_POD_BACKOFF_MAX_MS + 1;
  backoff.removed("a");
  t.is(backoff.remainingMs("a"), 1_000);
});
