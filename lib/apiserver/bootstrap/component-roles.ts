/** Roles for components other than the controllers: nodes, proxy, scheduler, controller manager, monitoring, add-ons. Counterpart: `bootstrappolicy.ClusterRoles`. */
import type { ClusterRole } from "../../api/schema/generated/models.ts";
import { nodeRules } from "./node-rules.ts";
import { clusterRole, eventsRule, pathRule, READ, READ_UPDATE, READ_WRITE, rule } from "./policy-rule.ts";

const tokenReviews = () => rule("create", "authentication.k8s.io", "tokenreviews");
const accessReviews = () => rule("create", "authorization.k8s.io", "subjectaccessreviews");
const CERTIFICATES = "certificates.k8s.io";
const approver = (name: string, signer: string): ClusterRole => clusterRole(`system:certificates.k8s.io:${name}-approver`, [rule("approve", CERTIFICATES, "signers", signer)]);

export const componentRoles = (): ClusterRole[] => [
  clusterRole("system:heapster", [rule(READ, "core", "events namespaces nodes pods"), rule(READ, "extensions", "deployments")]),
  clusterRole("system:node", nodeRules()),
  clusterRole("system:node-problem-detector", [rule("get", "core", "nodes"), rule("patch", "core", "nodes/status"), eventsRule()]),
  clusterRole("system:node-bootstrapper", [rule(`create ${READ}`, CERTIFICATES, "certificatesigningrequests")]),
  clusterRole("system:auth-delegator", [tokenReviews(), accessReviews()]),
  clusterRole("system:kube-aggregator", [rule(READ, "core", "endpoints services")]),
  clusterRole("system:kube-controller-manager", [
    eventsRule(), rule("create", "coordination.k8s.io", "leases"), rule("get update", "coordination.k8s.io", "leases", "kube-controller-manager"),
    rule("create", "core", "secrets serviceaccounts"), rule("delete", "core", "secrets"), rule("get", "core", "configmaps namespaces secrets serviceaccounts"),
    rule("update", "core", "secrets serviceaccounts"), tokenReviews(), accessReviews(), rule("list watch", "*", "*"), rule("create", "core", "serviceaccounts/token"),
  ]),
  clusterRole("system:kube-dns", [rule("list watch", "core", "endpoints services")]),
  clusterRole("system:persistent-volume-provisioner", [
    rule(`create delete ${READ}`, "core", "persistentvolumes"), rule(`update ${READ}`, "core", "persistentvolumeclaims"), rule(READ, "storage.k8s.io", "storageclasses"),
    rule("watch", "core", "events"), eventsRule(),
  ]),
  clusterRole("system:certificates.k8s.io:certificatesigningrequests:nodeclient", [rule("create", CERTIFICATES, "certificatesigningrequests/nodeclient")]),
  clusterRole("system:certificates.k8s.io:certificatesigningrequests:selfnodeclient", [rule("create", CERTIFICATES, "certificatesigningrequests/selfnodeclient")]),
  clusterRole("system:volume-scheduler", [rule(READ_UPDATE, "core", "persistentvolumes"), rule(READ, "storage.k8s.io", "storageclasses"), rule(READ_UPDATE, "core", "persistentvolumeclaims")]),
  approver("legacy-unknown", "kubernetes.io/legacy-unknown"),
  approver("kubelet-serving", "kubernetes.io/kubelet-serving"),
  approver("kube-apiserver-client", "kubernetes.io/kube-apiserver-client"),
  approver("kube-apiserver-client-kubelet", "kubernetes.io/kube-apiserver-client-kubelet"),
  clusterRole("system:service-account-issuer-discovery", [pathRule("get", "/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/")]),
  clusterRole("system:kubelet-api-admin", [
    rule(READ, "core", "nodes"), rule("proxy", "core", "nodes"), rule("*", "core", "nodes/log nodes/metrics nodes/proxy nodes/stats"), rule("*", "core", "nodes/configz nodes/healthz nodes/pods"),
  ]),
  clusterRole("system:node-proxier", [
    rule("list watch", "core", "endpoints services"), rule(READ, "core", "nodes"), eventsRule(), rule("list watch", "networking.k8s.io", "servicecidrs"),
    rule("list watch", "discovery.k8s.io", "endpointslices"),
  ]),
  clusterRole("system:kube-scheduler", [
    eventsRule(), rule("create", "coordination.k8s.io", "leases"), rule("get list update watch", "coordination.k8s.io", "leases", "kube-scheduler"),
    rule(READ_WRITE, "coordination.k8s.io", "leasecandidates"), rule(READ, "core", "nodes"), rule(`delete ${READ}`, "core", "pods"),
    rule("create", "core", "bindings pods/binding"), rule("patch update", "core", "pods/status"), rule(READ, "core", "replicationcontrollers services"),
    rule(READ, "apps extensions", "replicasets"), rule(READ, "apps", "statefulsets"), rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "core", "persistentvolumeclaims persistentvolumes"), tokenReviews(), accessReviews(), rule(READ, "storage.k8s.io", "csinodes"),
    rule(READ, "storage.k8s.io", "volumeattachments"), rule(READ, "core", "namespaces"), rule(READ, "storage.k8s.io", "csidrivers"), rule(READ, "storage.k8s.io", "csistoragecapacities"),
    rule(READ, "resource.k8s.io", "deviceclasses"), rule(READ_UPDATE, "resource.k8s.io", "resourceclaims"), rule(READ_UPDATE, "resource.k8s.io", "resourceclaims/status"),
    rule("update", "core", "pods/finalizers"), rule(READ, "resource.k8s.io", "resourceslices"), rule("create delete", "resource.k8s.io", "resourceclaims"),
  ]),
];
