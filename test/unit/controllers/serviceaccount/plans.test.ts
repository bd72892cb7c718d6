import test from "ava";
import { planRootCa } from "../../../../lib/controllers/serviceaccount/root-ca-publisher.ts";
import { planAggregation } from "../../../../lib/controllers/clusterrole-aggregation/aggregation-controller.ts";
import { planConditions } from "../../../../lib/controllers/namespace/plan-conditions.ts";
import type { ClusterRole } from "../../../../lib/api/schema/generated/models.ts";
import { NOW, at } from "../build.ts";

test("planRootCa() makes, repairs, and leaves alone", (t) => {
  const made = planRootCa("x", "PEM", undefined)!;
  t.deepEqual(made.data, { "ca.crt": "PEM" });
  t.is(planRootCa("x", "PEM", made), undefined);
  t.deepEqual(planRootCa("x", "NEW", made)!.data, { "ca.crt": "NEW" });
  t.deepEqual(planRootCa("x", "PEM", { ...made, data: { "ca.crt": "PEM", more: "x" } })!.data, { "ca.crt": "PEM" });
});

const role = (name: string, labels: Record<string, string>, resources: string[]): ClusterRole => ({ metadata: { name, labels }, rules: [{ apiGroups: [""], resources, verbs: ["get"] }] });

test("planAggregation() joins the rules of matching roles by name, each once, without its own", (t) => {
  const admin: ClusterRole = { metadata: { name: "admin", labels: { to: "admin" } }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { to: "admin" } }] }, rules: [{ verbs: ["old"] }] };
  const rules = planAggregation(admin, [admin, role("b", { to: "admin" }, ["pods"]), role("a", { to: "admin" }, ["services"]), role("c", { to: "admin" }, ["pods"]), role("d", {}, ["secrets"])]);
  t.deepEqual(rules.map((r) => r.resources), [["services"], ["pods"]]);
});

test("planConditions() tells what remains, keeps times of what did not change, and is the same list when nothing did", (t) => {
  const empty = { undiscovered: new Map<string, string>(), failures: [], remaining: new Map<string, number>(), finalizers: new Map<string, number>() };
  const first = planConditions([], { ...empty, remaining: new Map([["pods.", 3], ["configmaps.", 1]]), finalizers: new Map([["example.com/hold", 1]]) }, NOW);
  t.like(first.find((c) => c.type === "NamespaceContentRemaining"), { status: "True", reason: "SomeResourcesRemain", message: "Some resources are remaining: configmaps. has 1 resource instances, pods. has 3 resource instances" });
  t.like(first.find((c) => c.type === "NamespaceFinalizersRemaining"), { status: "True", message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances" });
  t.is(planConditions(first, { ...empty, remaining: new Map([["pods.", 3], ["configmaps.", 1]]), finalizers: new Map([["example.com/hold", 1]]) }, NOW), first);
  const later = planConditions(first, { ...empty, remaining: new Map([["pods.", 1]]) }, new Date(NOW.getTime() + 60_000));
  t.is(later.find((c) => c.type === "NamespaceContentRemaining")!.lastTransitionTime, at(3_600));
  t.is(later.find((c) => c.type === "NamespaceFinalizersRemaining")!.lastTransitionTime, at(3_660));
});
