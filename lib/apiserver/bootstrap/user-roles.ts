/** Roles for people: admin, edit and view are sums of what is labelled for them. Counterpart: `bootstrappolicy.ClusterRoles`. */
import type { ClusterRole, PolicyRule } from "../../api/schema/generated/models.ts";
import { bootstrapMeta, clusterRole, pathRule, RBAC_API_VERSION, READ, READ_WRITE, rule, WRITE } from "./policy-rule.ts";

const label = (role: string): Record<string, string> => ({ [`rbac.authorization.k8s.io/aggregate-to-${role}`]: "true" });
const aggregated = (name: string, labels: Record<string, string> = {}): ClusterRole => ({
  apiVersion: RBAC_API_VERSION, kind: "ClusterRole", metadata: bootstrapMeta(name, { labels }),
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: label(name) }] }, rules: [],
});

const EXTENSIONS = "daemonsets deployments deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale";

const viewRules = (): PolicyRule[] => [
  rule(READ, "core", `configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale
    serviceaccounts services services/status`),
  rule(READ, "core", "bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status"),
  rule(READ, "core", "namespaces"),
  rule(READ, "core events.k8s.io", "events"),
  rule(READ, "discovery.k8s.io", "endpointslices"),
  rule(READ, "apps", `controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale
    replicasets/status statefulsets statefulsets/scale statefulsets/status`),
  rule(READ, "autoscaling", "horizontalpodautoscalers horizontalpodautoscalers/status"),
  rule(READ, "batch", "cronjobs cronjobs/status jobs jobs/status"),
  rule(READ, "extensions", `${EXTENSIONS} daemonsets/status deployments/status ingresses/status replicasets/status`),
  rule(READ, "policy", "poddisruptionbudgets poddisruptionbudgets/status"),
  rule(READ, "networking.k8s.io", "ingresses ingresses/status networkpolicies"),
  rule(READ, "resource.k8s.io", "resourceclaims resourceclaims/status resourceclaimtemplates"),
];

const editRules = (): PolicyRule[] => [
  rule(READ, "core", "pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy"),
  rule("impersonate", "core", "serviceaccounts"),
  rule(WRITE, "core", "pods pods/attach pods/exec pods/portforward pods/proxy"),
  rule("create", "core", "pods/eviction"),
  rule(WRITE, "core", "configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy"),
  rule("create", "core", "serviceaccounts/token"),
  rule(WRITE, "core events.k8s.io", "events"),
  rule(WRITE, "apps", "daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale"),
  rule(WRITE, "autoscaling", "horizontalpodautoscalers"),
  rule(WRITE, "batch", "cronjobs jobs"),
  rule(WRITE, "extensions", `${EXTENSIONS} deployments/rollback`),
  rule(WRITE, "policy", "poddisruptionbudgets"),
  rule(WRITE, "networking.k8s.io", "ingresses networkpolicies"),
  rule(READ_WRITE, "coordination.k8s.io", "leases"),
  rule(WRITE, "resource.k8s.io", "resourceclaims resourceclaimtemplates"),
];

const HEALTH = "/livez /readyz /healthz", VERSION = "/version /version/";

export const userRoles = (): ClusterRole[] => [
  clusterRole("cluster-admin", [rule("*", "*", "*"), pathRule("*", "*")]),
  clusterRole("system:discovery", [pathRule("get", `${HEALTH} ${VERSION} /openapi /openapi/* /api /api/* /apis /apis/*`)]),
  clusterRole("system:monitoring", [pathRule("get", `/metrics /metrics/slis ${HEALTH} /livez/* /readyz/* /healthz/* /statusz`), rule("get", "core", "nodes/metrics")]),
  clusterRole("system:basic-user", [
    rule("create", "authorization.k8s.io", "selfsubjectaccessreviews selfsubjectrulesreviews"),
    rule("create", "authentication.k8s.io", "selfsubjectreviews"),
  ]),
  clusterRole("system:public-info-viewer", [pathRule("get", `${HEALTH} ${VERSION}`)]),
  aggregated("admin"),
  aggregated("edit", label("admin")),
  aggregated("view", label("edit")),
  clusterRole("system:aggregate-to-admin", [
    rule("create", "authorization.k8s.io", "localsubjectaccessreviews"),
    rule(READ_WRITE, "rbac.authorization.k8s.io", "rolebindings roles"),
  ], label("admin")),
  clusterRole("system:aggregate-to-edit", editRules(), label("edit")),
  clusterRole("system:aggregate-to-view", viewRules(), label("view")),
];
