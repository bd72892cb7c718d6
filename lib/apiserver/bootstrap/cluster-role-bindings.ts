/** Who holds the bootstrap roles. Counterpart: `bootstrappolicy.ClusterRoleBindings`, and kubeadm's own bindings. */
import type { ClusterRoleBinding, RbacV1Subject } from "../../api/schema/generated/models.ts";
import { CONTROLLER_NAMES, controllerRoleName } from "./controller-roles.ts";
import { bootstrapMeta, RBAC_API_VERSION, RBAC_GROUP } from "./policy-rule.ts";

const group = (name: string): RbacV1Subject => ({ apiGroup: RBAC_GROUP, kind: "Group", name });
const user = (name: string): RbacV1Subject => ({ apiGroup: RBAC_GROUP, kind: "User", name });
const account = (name: string): RbacV1Subject => ({ kind: "ServiceAccount", name, namespace: "kube-system" });
const binding = (name: string, subjects: readonly RbacV1Subject[], role = name): ClusterRoleBinding => ({
  apiVersion: RBAC_API_VERSION, kind: "ClusterRoleBinding", metadata: bootstrapMeta(name), roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: role }, subjects: [...subjects],
});

export const bootstrapClusterRoleBindings = (): ClusterRoleBinding[] => [
  binding("cluster-admin", [group("system:masters")]),
  binding("system:monitoring", [group("system:monitoring")]),
  binding("system:discovery", [group("system:authenticated")]),
  binding("system:basic-user", [group("system:authenticated")]),
  binding("system:public-info-viewer", [group("system:authenticated"), group("system:unauthenticated")]),
  binding("system:node-proxier", [user("system:kube-proxy")]),
  binding("system:kube-controller-manager", [user("system:kube-controller-manager")]),
  binding("system:kube-dns", [account("kube-dns")]),
  binding("system:kube-scheduler", [user("system:kube-scheduler")]),
  binding("system:volume-scheduler", [user("system:kube-scheduler")]),
  // Bound to nobody: the Node authorizer gives nodes what is theirs.
  binding("system:node", []),
  binding("system:service-account-issuer-discovery", [group("system:serviceaccounts")]),
  ...CONTROLLER_NAMES.map((controller) => binding(controllerRoleName(controller), [account(controller)], controllerRoleName(controller))),
];

/** What kubeadm adds: people and the server's own kubelet client are in `kubeadm:cluster-admins`. */
export const kubeadmClusterRoleBindings = (): ClusterRoleBinding[] => [
  { apiVersion: RBAC_API_VERSION, kind: "ClusterRoleBinding", metadata: { name: "kubeadm:cluster-admins" }, roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name: "cluster-admin" }, subjects: [group("kubeadm:cluster-admins")] },
];
