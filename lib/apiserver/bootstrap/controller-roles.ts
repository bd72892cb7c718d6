/** A role for each controller of kube-controller-manager, bound to its ServiceAccount in kube-system. Counterpart: `bootstrappolicy.ControllerRoles`. */
import type { ClusterRole, PolicyRule } from "../../api/schema/generated/models.ts";
import { clusterRole, eventsRule, READ, READ_UPDATE, rule } from "./policy-rule.ts";

const STORAGE = "storage.k8s.io", WORKLOADS = "apps extensions", SLICES = "discovery.k8s.io";
const owned = (): PolicyRule => rule("create delete list patch watch", "core", "pods");
const revisions = (): PolicyRule => rule(`create delete ${READ_UPDATE}`, "apps", "controllerrevisions");

/** Rules by the controller's ServiceAccount. Every table ends with events unless upstream's does not. */
const CONTROLLERS: Record<string, () => PolicyRule[]> = {
  "attachdetach-controller": () => [
    rule("list watch", "core", "persistentvolumeclaims persistentvolumes"), rule(READ, "core", "nodes"), rule("patch update", "core", "nodes/status"), rule("list watch", "core", "pods"),
    eventsRule(), rule(`create delete ${READ}`, STORAGE, "volumeattachments"), rule(READ, STORAGE, "csidrivers"), rule(READ, STORAGE, "csinodes"),
  ],
  "certificate-controller": () => [
    rule(`delete ${READ}`, "certificates.k8s.io", "certificatesigningrequests"), rule("update", "certificates.k8s.io", "certificatesigningrequests/approval certificatesigningrequests/status"),
    rule("approve", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client-kubelet"),
    rule("sign", "certificates.k8s.io", "signers", "kubernetes.io/kube-apiserver-client", "kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/kubelet-serving", "kubernetes.io/legacy-unknown"),
    rule("create", "authorization.k8s.io", "subjectaccessreviews"), eventsRule(),
  ],
  "clusterrole-aggregation-controller": () => [rule(`escalate ${READ_UPDATE}`, "rbac.authorization.k8s.io", "clusterroles")],
  "cronjob-controller": () => [
    rule(`update ${READ}`, "batch", "cronjobs"), rule(`create delete ${READ_UPDATE}`, "batch", "jobs"), rule("update", "batch", "cronjobs/status"), rule("update", "batch", "cronjobs/finalizers"),
    rule("delete list watch", "core", "pods"), eventsRule(),
  ],
  "daemon-set-controller": () => [
    rule(READ, WORKLOADS, "daemonsets"), rule("update", WORKLOADS, "daemonsets/status"), rule("update", WORKLOADS, "daemonsets/finalizers"), rule("list watch", "core", "nodes"),
    owned(), rule("create", "core", "pods/binding"), revisions(), eventsRule(),
  ],
  "deployment-controller": () => [
    rule(`update ${READ}`, WORKLOADS, "deployments"), rule("update", WORKLOADS, "deployments/status"), rule("update", WORKLOADS, "deployments/finalizers"),
    rule(`create delete ${READ_UPDATE}`, WORKLOADS, "replicasets"), rule(`update ${READ}`, "core", "pods"), eventsRule(),
  ],
  "device-taint-eviction-controller": () => [
    rule(`delete ${READ}`, "core", "pods"), rule("patch update", "core", "pods/status"), rule(READ, "resource.k8s.io", "resourceclaims"), rule(READ, "resource.k8s.io", "resourceslices"),
    rule(READ, "resource.k8s.io", "deviceclasses"), eventsRule(),
  ],
  "disruption-controller": () => [
    rule(READ, WORKLOADS, "deployments"), rule(READ, WORKLOADS, "replicasets"), rule(READ, "core", "replicationcontrollers"), rule(READ, "policy", "poddisruptionbudgets"),
    rule(READ, "apps", "statefulsets"), rule("update", "policy", "poddisruptionbudgets/status"), rule("patch update", "core", "pods/status"), rule("get", "*", "*/scale"), eventsRule(),
  ],
  "endpoint-controller": () => [
    rule(READ, "core", "pods services"), rule(`create delete update ${READ}`, "core", "endpoints"), rule("create", "core", "endpoints/restricted"), eventsRule(),
  ],
  "endpointslice-controller": () => [
    rule(READ, "core", "nodes pods services"), rule("update", "core", "services/finalizers"), rule(`create delete update ${READ}`, SLICES, "endpointslices"), eventsRule(),
  ],
  "endpointslicemirroring-controller": () => [
    rule(READ, "core", "endpoints services"), rule("update", "core", "services/finalizers"), rule("update", "core", "endpoints/finalizers"),
    rule(`create delete update ${READ}`, SLICES, "endpointslices"), eventsRule(),
  ],
  "ephemeral-volume-controller": () => [rule(READ, "core", "pods"), rule("update", "core", "pods/finalizers"), rule(`create ${READ}`, "core", "persistentvolumeclaims"), eventsRule()],
  "expand-controller": () => [
    rule(READ_UPDATE, "core", "persistentvolumes"), rule("patch update", "core", "persistentvolumeclaims/status"), rule(READ, "core", "persistentvolumeclaims"), eventsRule(),
  ],
  "generic-garbage-collector": () => [rule(`delete ${READ_UPDATE}`, "*", "*"), eventsRule()],
  "horizontal-pod-autoscaler": () => [
    rule(READ, "autoscaling", "horizontalpodautoscalers"), rule("update", "autoscaling", "horizontalpodautoscalers/status"), rule("get update", "*", "*/scale"), rule("list watch", "core", "pods"),
    rule("list watch", "metrics.k8s.io", "pods"), rule(READ, "custom.metrics.k8s.io", "*"), rule(READ, "external.metrics.k8s.io", "*"), eventsRule(),
  ],
  "job-controller": () => [rule(READ_UPDATE, "batch", "jobs"), rule("update", "batch", "jobs/status"), rule("update", "batch", "jobs/finalizers"), owned(), eventsRule()],
  "legacy-service-account-token-cleaner": () => [rule("get", "core", "configmaps", "kube-apiserver-legacy-service-account-token-tracking"), rule("delete patch", "core", "secrets")],
  "namespace-controller": () => [rule(`delete ${READ}`, "core", "namespaces"), rule("update", "core", "namespaces/finalize namespaces/status"), rule(`delete deletecollection ${READ}`, "*", "*")],
  "node-controller": () => [
    rule(`delete ${READ_UPDATE}`, "core", "nodes"), rule("patch update", "core", "nodes/status"), rule("patch update", "core", "pods/status"), rule(`delete ${READ}`, "core", "pods"), eventsRule(),
  ],
  "persistent-volume-binder": () => [
    rule(`create delete update ${READ}`, "core", "persistentvolumes"), rule("update", "core", "persistentvolumes/status"), rule(`update ${READ}`, "core", "persistentvolumeclaims"),
    rule("update", "core", "persistentvolumeclaims/status"), rule(`create delete ${READ}`, "core", "pods"), rule(READ, STORAGE, "storageclasses"), rule("list watch", "core", "nodes"),
    eventsRule(), rule("watch", "core", "events"),
  ],
  "pod-garbage-collector": () => [rule("delete list watch", "core", "pods"), rule(READ, "core", "nodes"), rule("patch", "core", "pods/status")],
  "pv-protection-controller": () => [rule(`update ${READ}`, "core", "persistentvolumes"), eventsRule()],
  "pvc-protection-controller": () => [rule(`update ${READ}`, "core", "persistentvolumeclaims"), rule("update", "core", "persistentvolumeclaims/status"), rule(READ, "core", "pods"), eventsRule()],
  "replicaset-controller": () => [
    rule(`update ${READ}`, WORKLOADS, "replicasets"), rule("update", WORKLOADS, "replicasets/status"), rule("update", WORKLOADS, "replicasets/finalizers"), owned(), rule(READ, "core", "nodes"), eventsRule(),
  ],
  "replication-controller": () => [
    rule(`update ${READ}`, "core", "replicationcontrollers"), rule("update", "core", "replicationcontrollers/status"), rule("update", "core", "replicationcontrollers/finalizers"), owned(), eventsRule(),
  ],
  "resource-claim-controller": () => [
    rule(READ, "core", "pods"), rule("update", "core", "pods/finalizers"), rule(`create delete ${READ}`, "resource.k8s.io", "resourceclaims"),
    rule("patch update", "resource.k8s.io", "resourceclaims resourceclaims/status"), rule("patch update", "core", "pods/status"), eventsRule(),
  ],
  "resourcequota-controller": () => [rule("list watch", "*", "*"), rule("update", "core", "resourcequotas/status"), eventsRule()],
  "root-ca-cert-publisher": () => [rule("create update", "core", "configmaps"), eventsRule()],
  "route-controller": () => [rule("list watch", "core", "nodes"), rule("patch", "core", "nodes/status"), eventsRule()],
  "selinux-warning-controller": () => [
    eventsRule(), rule(READ, "core", "persistentvolumes"), rule(READ, "core", "persistentvolumeclaims"), rule(READ, "core", "pods"), rule(READ, STORAGE, "csidrivers"),
  ],
  "service-account-controller": () => [rule("create", "core", "serviceaccounts"), eventsRule()],
  "service-cidrs-controller": () => [
    rule(READ_UPDATE, "networking.k8s.io", "servicecidrs"), rule("patch update", "networking.k8s.io", "servicecidrs/finalizers"), rule("patch update", "networking.k8s.io", "servicecidrs/status"),
    rule(READ, "networking.k8s.io", "ipaddresses"), eventsRule(),
  ],
  "service-controller": () => [rule(READ, "core", "services"), rule("patch update", "core", "services/status"), rule("list watch", "core", "nodes"), eventsRule()],
  "statefulset-controller": () => [
    rule("list watch", "core", "pods"), rule(READ, "apps", "statefulsets"), rule("update", "apps", "statefulsets/status"), rule("update", "apps", "statefulsets/finalizers"),
    rule("create delete get patch update", "core", "pods"), revisions(), rule(`create ${READ}`, "core", "persistentvolumeclaims"), rule("delete update", "core", "persistentvolumeclaims"),
    rule("update", "core", "pods/finalizers"), eventsRule(),
  ],
  "ttl-after-finished-controller": () => [rule(`delete ${READ}`, "batch", "jobs"), eventsRule()],
  "ttl-controller": () => [rule("list patch update watch", "core", "nodes"), eventsRule()],
  "validatingadmissionpolicy-status-controller": () => [
    rule(READ, "admissionregistration.k8s.io", "validatingadmissionpolicies"), rule("get patch update", "admissionregistration.k8s.io", "validatingadmissionpolicies/status"), eventsRule(),
  ],
  "volumeattributesclass-protection-controller": () => [
    rule(READ, "core", "persistentvolumeclaims"), rule(READ, "core", "persistentvolumes"), rule(`update ${READ}`, STORAGE, "volumeattributesclasses"), eventsRule(),
  ],
};

/** ServiceAccounts in kube-system the roles below are bound to. */
export const CONTROLLER_NAMES: readonly string[] = Object.keys(CONTROLLERS);
export const controllerRoleName = (controller: string): string => `system:controller:${controller}`;
export const controllerRoles = (): ClusterRole[] => Object.entries(CONTROLLERS).map(([controller, rules]) => clusterRole(controllerRoleName(controller), rules()));
