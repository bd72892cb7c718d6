import test from "ava";
import { evictionDueMs } from "../../../../lib/controllers/taint-eviction/plan-eviction.ts";
import { NOW, at, makePod } from "../build.ts";

const nowMs = NOW.getTime(), unreachable = { key: "node.kubernetes.io/unreachable", effect: "NoExecute", timeAdded: at(3_590) };

test("evictionDueMs() is now without a toleration, and never with one that has no limit", (t) => {
  t.is(evictionDueMs(makePod(), [unreachable], nowMs), nowMs);
  t.is(evictionDueMs(makePod({ tolerations: [{ operator: "Exists" }] }), [unreachable], nowMs), undefined);
  t.is(evictionDueMs(makePod(), [{ ...unreachable, effect: "NoSchedule" }], nowMs), undefined);
});

test("evictionDueMs() counts the toleration from when the taint was put on", (t) => {
  const pod = makePod({ tolerations: [{ key: unreachable.key, operator: "Exists", effect: "NoExecute", tolerationSeconds: 30 }] });
  t.is(evictionDueMs(pod, [unreachable], nowMs), nowMs + 20_999);
  t.is(evictionDueMs(pod, [{ ...unreachable, timeAdded: undefined }], nowMs), nowMs + 30_000);
  t.is(evictionDueMs(pod, [{ ...unreachable, timeAdded: at(9_999) }], nowMs), nowMs + 30_000); // A clock that was ahead gives no more time.
});

test("evictionDueMs() takes the shortest of several, and a negative limit as none", (t) => {
  const tolerate = (key: string, tolerationSeconds: number) => ({ key, operator: "Exists", tolerationSeconds });
  const other = { key: "maintenance", effect: "NoExecute", timeAdded: at(3_600) };
  t.is(evictionDueMs(makePod({ tolerations: [tolerate(unreachable.key, 300), tolerate("maintenance", 5)] }), [unreachable, other], nowMs), nowMs + 5_000);
  t.is(evictionDueMs(makePod({ tolerations: [tolerate(unreachable.key, -1)] }), [unreachable], nowMs), nowMs - 9_001);
});
