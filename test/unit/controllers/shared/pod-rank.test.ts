import test from "ava";
import { compareForDeletion } from "../../../../lib/controllers/shared/pod-rank.ts";
import type { Pod } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at, makePod } from "../build.ts";

const first = (pods: Pod[], siblings: (pod: Pod) => number = () => 1): string => pods.toSorted((a, b) => compareForDeletion(a, b, siblings, NOW))[0]!.metadata.name;
const bothWays = (t: { is(a: string, b: string): void }, goes: Pod, stays: Pod, siblings?: (pod: Pod) => number): void => {
  t.is(first([goes, stays], siblings), goes.metadata.name);
  t.is(first([stays, goes], siblings), goes.metadata.name);
};

test("compareForDeletion() takes a pod without a node before one with", (t) => bothWays(t, makePod({}), makePod({ node: "n1" })));
test("compareForDeletion() takes pending before running", (t) => bothWays(t, makePod({ node: "n1", phase: "Pending", ready: false }), makePod({ node: "n1" })));
test("compareForDeletion() takes not ready before ready", (t) => bothWays(t, makePod({ node: "n1", ready: false }), makePod({ node: "n1" })));
test("compareForDeletion() takes the lower deletion cost first, but readiness counts more", (t) => {
  bothWays(t, makePod({ node: "n1", cost: "-5" }), makePod({ node: "n1" }));
  bothWays(t, makePod({ node: "n1", cost: "100", ready: false }), makePod({ node: "n1", cost: "-5" }));
});
test("compareForDeletion() takes one of doubled-up pods before a pod alone on its node", (t) => bothWays(t, makePod({ node: "n1" }), makePod({ node: "n2" }), (pod) => (pod.spec.nodeName === "n1" ? 2 : 1)));
test("compareForDeletion() takes the one that became ready lately", (t) => bothWays(t, makePod({ node: "n1", readyAt: at(3_595) }), makePod({ node: "n1", readyAt: at(10) })));
test("compareForDeletion() treats ages within one power of two as alike and lets the uid decide", (t) => {
  const a = makePod({ name: "a", node: "n1", readyAt: at(600) }), b = makePod({ name: "b", node: "n1", readyAt: at(900) });
  bothWays(t, a, b);
});
test("compareForDeletion() takes more restarts first", (t) => bothWays(t, makePod({ node: "n1", restarts: 3 }), makePod({ node: "n1", restarts: 1 })));
test("compareForDeletion() is an order: sorting any shuffle gives one result", (t) => {
  const pods = Array.from({ length: 40 }, (_, i) => makePod({ name: `p${i}`, node: i % 3 === 0 ? "n1" : "n2", ready: i % 4 !== 0, restarts: i % 5, created: at(i * 50), readyAt: at(i * 70), cost: String(i % 2) }));
  const sorted = (list: Pod[]): string => list.toSorted((a, b) => compareForDeletion(a, b, (p) => (p.spec.nodeName === "n1" ? 2 : 1), NOW)).map((p) => p.metadata.name).join();
  t.is(sorted(pods.toReversed()), sorted(pods));
  t.is(sorted([...pods.slice(20), ...pods.slice(0, 20)]), sorted(pods));
});
