import test from "ava";
import { clusterRoleBindingDefinition } from "../../../../lib/api/rbac/cluster-role-binding.ts";
import { clusterRoleDefinition } from "../../../../lib/api/rbac/cluster-role.ts";
import { roleBindingDefinition } from "../../../../lib/api/rbac/role-binding.ts";
import { roleDefinition } from "../../../../lib/api/rbac/role.ts";
import { faults, prepared, row, updateFaults } from "../run-definition.ts";

const binding = (subjects: object[], roleRef: object = { kind: "Role", name: "r" }): Record<string, unknown> => ({ metadata: { name: "b" }, roleRef, subjects });

test("rules are for resources or for paths", (t) => {
  t.deepEqual(faults(roleDefinition, { metadata: { name: "r" }, rules: [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }] }), []);
  t.deepEqual(faults(roleDefinition, { metadata: { name: "r" }, rules: [{}] }), [
    "rules[0].verbs: Required value: verbs must contain at least one value", "rules[0].apiGroups: Required value: resource rules must supply at least one api group",
    "rules[0].resources: Required value: resource rules must supply at least one resource",
  ]);
  const path = { metadata: { name: "r" }, rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] };
  t.deepEqual(faults(roleDefinition, path), ['rules[0].nonResourceURLs: Invalid value: ["/healthz"]: namespaced rules cannot apply to non-resource URLs']);
  t.deepEqual(faults(clusterRoleDefinition, path), []);
  t.is(row(roleDefinition, prepared(roleDefinition, path)), "r | 2026-05-01T11:00:00Z");
});

test("bindings name subjects of known kinds", (t) => {
  const made = prepared(roleBindingDefinition, binding([{ kind: "User", name: "alice" }, { kind: "Group", name: "dev" }, { kind: "ServiceAccount", name: "sa", namespace: "ns" }]));
  t.is(made.roleRef.apiGroup, "rbac.authorization.k8s.io");
  t.is(made.subjects?.[0]?.apiGroup, "rbac.authorization.k8s.io");
  t.is(made.subjects?.[2]?.apiGroup, undefined);
  t.is(row(roleBindingDefinition, made, { wide: true }), "b | Role/r | 60m | alice | dev | ns/sa");
  t.deepEqual(faults(roleBindingDefinition, binding([{ kind: "Robot", name: "x" }])), ['subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"']);
  t.deepEqual(faults(clusterRoleBindingDefinition, binding([{ kind: "ServiceAccount", name: "sa" }], { kind: "ClusterRole", name: "r" })), ["subjects[0].namespace: Required value"]);
});

test("the role of a binding stays", (t) => {
  t.deepEqual(updateFaults(roleBindingDefinition, binding([]), (changed) => void (changed.roleRef.name = "other")), [
    'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"other"}: cannot change roleRef',
  ]);
});
