import test from "ava";
import { DELETION_TIMEOUT_MS, failedStatus, needsScale, planBudgetStatus, planDisrupted, planExpectation, untilStaleMs } from "../../../../lib/controllers/disruption/plan-budget.ts";
import type { PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at, makePod } from "../build.ts";

const budget = (spec: PodDisruptionBudgetSpec = {}, status: PodDisruptionBudgetStatus = {}): PodDisruptionBudget => ({ apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "b", namespace: "default", uid: "u", generation: 3 }, spec, status });

test("planExpectation() counts what is asked for by maxUnavailable and shares, and what is there by a number", (t) => {
  t.deepEqual(planExpectation(budget({ maxUnavailable: 2 }), 9, 5), { expected: 5, desired: 3 });
  t.deepEqual(planExpectation(budget({ maxUnavailable: "30%" }), 9, 7), { expected: 7, desired: 4 }); // 2.1 rounds up to 3.
  t.deepEqual(planExpectation(budget({ maxUnavailable: 9 }), 9, 5), { expected: 5, desired: 0 });
  t.deepEqual(planExpectation(budget({ minAvailable: "50%" }), 9, 7), { expected: 7, desired: 4 });
  t.deepEqual(planExpectation(budget({ minAvailable: 2 }), 9, 0), { expected: 9, desired: 2 });
  t.deepEqual([needsScale(budget({ minAvailable: 2 })), needsScale(budget({ minAvailable: "2%" })), needsScale(budget({ maxUnavailable: 0 }))], [false, true, true]);
});

test("planBudgetStatus() counts ready pods that are neither leaving nor about to, and allows what is left over", (t) => {
  const pods = [makePod({ name: "a" }), makePod({ name: "b" }), makePod({ name: "c", ready: false }), makePod({ name: "d", terminating: true }), makePod({ name: "e" })];
  const status = planBudgetStatus(budget(), pods, { expected: 5, desired: 1 }, { e: at(3_599) }, NOW);
  t.deepEqual(status, {
    currentHealthy: 2, desiredHealthy: 1, expectedPods: 5, disruptionsAllowed: 1, observedGeneration: 3, disruptedPods: { e: at(3_599) },
    conditions: [{ type: "DisruptionAllowed", status: "True", reason: "SufficientPods", message: "", observedGeneration: 3, lastTransitionTime: "2026-01-01T01:00:00Z" }],
  });
  t.like(planBudgetStatus(budget(), pods, { expected: 5, desired: 4 }, {}, NOW), { currentHealthy: 3, disruptionsAllowed: 0, conditions: [{ status: "False", reason: "InsufficientPods" }] });
  t.is(planBudgetStatus(budget(), [], { expected: 0, desired: 0 }, {}, NOW).disruptionsAllowed, 0);
});

test("a condition keeps its time while it says the same", (t) => {
  const before = planBudgetStatus(budget(), [makePod()], { expected: 1, desired: 0 }, {}, new Date(NOW.getTime() - 60_000));
  t.is(planBudgetStatus(budget({}, before), [makePod()], { expected: 1, desired: 0 }, {}, NOW).conditions![0]!.lastTransitionTime, before.conditions![0]!.lastTransitionTime);
});

test("failedStatus() allows nothing and says why", (t) => {
  t.like(failedStatus(budget({}, { disruptionsAllowed: 4, currentHealthy: 5, observedGeneration: 2 }), new Error("no scale"), NOW), { disruptionsAllowed: 0, currentHealthy: 5, conditions: [{ type: "DisruptionAllowed", status: "False", reason: "SyncFailed", message: "no scale" }] });
});

test("planDisrupted() forgets evictions that came about or did not in time, and tells when to look again", (t) => {
  const since = (seconds: number): string => at(3_600 - seconds), held = budget({}, { disruptedPods: { fresh: since(20), late: since(DELETION_TIMEOUT_MS / 1_000 + 1), leaving: since(5), gone: since(5) } });
  const plan = planDisrupted(held, [makePod({ name: "fresh" }), makePod({ name: "late" }), makePod({ name: "leaving", terminating: true }), makePod({ name: "other" })], NOW);
  t.deepEqual([plan.disrupted, plan.notDeleted.map((pod) => pod.metadata.name), plan.recheckAfterMs], [{ fresh: since(20) }, ["late"], DELETION_TIMEOUT_MS - 20_000]);
});

test("untilStaleMs() counts for pods that were told they go and still run, not by the kubelet", (t) => {
  const pod = (reason: string, rest = {}) => { const made = makePod(rest); made.status!.conditions!.push({ type: "DisruptionTarget", status: "True", reason, lastTransitionTime: at(3_510) }); return made; };
  t.is(untilStaleMs(pod("EvictionByEvictionAPI"), NOW), 30_000);
  t.is(untilStaleMs(pod("TerminationByKubelet"), NOW), undefined);
  t.is(untilStaleMs(pod("EvictionByEvictionAPI", { phase: "Failed" }), NOW), undefined);
  t.is(untilStaleMs(pod("EvictionByEvictionAPI", { terminating: true }), NOW), undefined);
  t.is(untilStaleMs(makePod(), NOW), undefined);
});
