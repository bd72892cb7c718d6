/** Roles and bindings inside kube-system and kube-public. Counterpart: `bootstrappolicy.NamespaceRoles`. */
import type { PolicyRule, RbacV1Subject, Role, RoleBinding } from "../../api/schema/generated/models.ts";
import { bootstrapMeta, eventsRule, RBAC_API_VERSION, RBAC_GROUP, READ, rule } from "./policy-rule.ts";

const SYSTEM = "kube-system", PUBLIC = "kube-public";
const role = (namespace: string, name: string, rules: readonly PolicyRule[]): Role => ({ apiVersion: RBAC_API_VERSION, kind: "Role", metadata: bootstrapMeta(name, { namespace }), rules: [...rules] });
const binding = (namespace: string, name: string, roleName: string, subjects: readonly RbacV1Subject[]): RoleBinding => ({
  apiVersion: RBAC_API_VERSION, kind: "RoleBinding", metadata: bootstrapMeta(name, { namespace }), roleRef: { apiGroup: RBAC_GROUP, kind: "Role", name: roleName }, subjects: [...subjects],
});
const user = (name: string): RbacV1Subject => ({ apiGroup: RBAC_GROUP, kind: "User", name });
const account = (name: string): RbacV1Subject => ({ kind: "ServiceAccount", name, namespace: SYSTEM });
const leaderRules = (): PolicyRule[] => [rule("create get list update watch", "coordination.k8s.io", "leases"), rule("create get list update watch", "coordination.k8s.io", "leasecandidates")];

export const namespaceRoles = (): Role[] => [
  role(SYSTEM, "extension-apiserver-authentication-reader", [rule(READ, "core", "configmaps", "extension-apiserver-authentication")]),
  role(SYSTEM, "system:controller:bootstrap-signer", [rule(READ, "core", "secrets")]),
  role(SYSTEM, "system:controller:cloud-provider", [rule(`create ${READ}`, "core", "configmaps")]),
  role(SYSTEM, "system:controller:token-cleaner", [rule(`delete ${READ}`, "core", "secrets"), eventsRule()]),
  role(SYSTEM, "system::leader-locking-kube-controller-manager", leaderRules()),
  role(SYSTEM, "system::leader-locking-kube-scheduler", leaderRules()),
  role(PUBLIC, "system:controller:bootstrap-signer", [rule(READ, "core", "configmaps"), rule("update", "core", "configmaps", "cluster-info"), eventsRule()]),
];

export const namespaceRoleBindings = (): RoleBinding[] => [
  binding(SYSTEM, "system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader", [user("system:kube-controller-manager"), user("system:kube-scheduler")]),
  binding(SYSTEM, "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", [account("bootstrap-signer")]),
  binding(SYSTEM, "system:controller:cloud-provider", "system:controller:cloud-provider", [account("cloud-provider")]),
  binding(SYSTEM, "system:controller:token-cleaner", "system:controller:token-cleaner", [account("token-cleaner")]),
  binding(SYSTEM, "system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager", [user("system:kube-controller-manager"), account("kube-controller-manager"), account("leader-election-controller")]),
  binding(SYSTEM, "system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler", [user("system:kube-scheduler"), account("kube-scheduler")]),
  binding(PUBLIC, "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", [account("bootstrap-signer")]),
];
