/** Objects every cluster has from its first start: system namespaces and priority classes. */
import type { Namespace, PriorityClass } from "../../api/schema/generated/models.ts";

/** Counterpart: `pkg/controlplane/controller/systemnamespaces`. */
export const SYSTEM_NAMESPACES = ["default", "kube-system", "kube-public", "kube-node-lease"] as const;
export const systemNamespace = (name: string): Namespace => ({ apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {} });

const priorityClass = (name: string, value: number, description: string): PriorityClass => ({ apiVersion: "scheduling.k8s.io/v1", kind: "PriorityClass", metadata: { name }, value, description });
/** Counterpart: `scheduling.SystemPriorityClasses`. */
export const systemPriorityClasses = (): PriorityClass[] => [
  priorityClass("system-node-critical", 2_000_001_000, "Used for system critical pods that must not be moved from their current node."),
  priorityClass("system-cluster-critical", 2_000_000_000, "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary."),
];
