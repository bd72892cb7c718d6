import test from "ava";
import { planPodGc } from "../../../../lib/controllers/podgc/plan-pod-gc.ts";
import { at, makeNode, makePod } from "../build.ts";

const names = (pods: readonly { metadata: { name: string } }[]): string[] => pods.map((p) => p.metadata.name);

test("planPodGc() finds orphans by missing node, unscheduled terminating pods, and those of a node out of service", (t) => {
  const gone = makeNode({ name: "oos", ready: "Unknown", taints: [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }] }), up = makeNode({ name: "up", ready: "True" });
  const plan = planPodGc([
    makePod({ name: "orphan", node: "missing" }), makePod({ name: "fine", node: "up" }), makePod({ name: "unscheduled", terminating: true }), makePod({ name: "pending" }),
    makePod({ name: "stuck", node: "oos", terminating: true }), makePod({ name: "running", node: "oos" }), makePod({ name: "leaving", node: "up", terminating: true }),
  ], (name) => [gone, up].find((n) => n.metadata.name === name), 0);
  t.deepEqual([[...plan.orphaned.keys()], names(plan.orphaned.get("missing")!), names(plan.unscheduled), names(plan.outOfService)], [["missing"], ["orphan"], ["unscheduled"], ["stuck"]]);
});

test("planPodGc() removes finished pods beyond the threshold: evicted first, then the oldest", (t) => {
  const pod = (name: string, created: number, reason?: string) => { const p = makePod({ name, node: "n", phase: "Failed", created: at(created) }); if (reason !== undefined) p.status!.reason = reason; return p; };
  const plan = planPodGc([pod("young", 30), pod("old", 10), pod("evicted", 99, "Evicted"), makePod({ name: "alive", node: "n" })], () => makeNode(), 1);
  t.deepEqual(names(plan.terminated), ["evicted", "old"]);
});
