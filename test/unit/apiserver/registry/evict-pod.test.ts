import test from "ava";
import type { Pod, PodDisruptionBudget } from "../../../../lib/api/schema/generated/models.ts";
import { budgetsOf, takeDisruption } from "../../../../lib/apiserver/registry/evict-pod.ts";

const budget = (status: Partial<NonNullable<PodDisruptionBudget["status"]>> | undefined, matchLabels: Record<string, string> | null = { app: "web" }) =>
  ({ metadata: { name: "pdb", generation: 1 }, spec: matchLabels === null ? {} : { selector: { matchLabels } }, ...(status === undefined ? {} : { status: { currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, observedGeneration: 1, ...status } }) }) as unknown as PodDisruptionBudget;

test("takeDisruption() takes one and remembers the pod", (t) => {
  const held = budget({ disruptionsAllowed: 2, disruptedPods: { a: "t0" } });
  takeDisruption(held, "b", "t1");
  t.deepEqual([held.status!.disruptionsAllowed, held.status!.disruptedPods], [1, { a: "t0", b: "t1" }]);
});

test("takeDisruption() refuses when there is none to give, or the controller has not looked yet", (t) => {
  t.throws(() => takeDisruption(budget({ disruptionsAllowed: 0 }), "b", "t"), { message: "Cannot evict pod as it would violate the pod's disruption budget." });
  t.like(t.throws(() => takeDisruption(budget({ disruptionsAllowed: 1, observedGeneration: 0 }), "b", "t")), { reason: "TooManyRequests", details: { retryAfterSeconds: 10 } });
  t.like(t.throws(() => takeDisruption(budget(undefined), "b", "t")), { reason: "TooManyRequests" });
  t.like(t.throws(() => takeDisruption(budget({ disruptionsAllowed: -1 }), "b", "t")), { reason: "Forbidden" });
});

test("budgetsOf() finds the budgets that select a pod; an empty selector selects every pod, none selects none", (t) => {
  const pod = { metadata: { name: "p", labels: { app: "web" } } } as unknown as Pod;
  t.is(budgetsOf(pod, [budget({}), budget({}, { app: "db" }), budget({}, {}), budget({}, null)]).length, 2);
});
