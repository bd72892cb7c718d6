/**
 * What happens in the cluster that may make a rejected pod fit. Plugins say which of them can help against their own rejections.
 * Counterpart: scheduler framework `ClusterEvent` and the specific action types.
 */
import { semanticEqual } from "../../api/semantic-equal.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import type { PodInfo } from "../cache/pod-info.ts";

export type NodeAspect = "allocatable" | "labels" | "taints" | "unschedulable" | "condition";

export type ClusterEvent =
  | { readonly kind: "node-added"; readonly node: Node }
  | { readonly kind: "node-updated"; readonly node: Node; readonly old: Node; readonly aspects: ReadonlySet<NodeAspect> }
  | { readonly kind: "node-deleted"; readonly node: Node }
  | { readonly kind: "assigned-pod-added"; readonly pod: PodInfo; readonly node: string }
  | { readonly kind: "assigned-pod-updated"; readonly pod: PodInfo; readonly old: PodInfo; readonly node: string }
  | { readonly kind: "assigned-pod-deleted"; readonly pod: PodInfo; readonly node: string }
  | { readonly kind: "namespace-changed"; readonly namespace: string }
  /** A claim, a volume or a storage class. */
  | { readonly kind: "volume-changed" }
  /** Too long without a try, or asked for: every pod. */
  | { readonly kind: "anything" };

/** Which of what schedulers look at differs between two states of a node; empty for a mere heartbeat. */
export function nodeAspects(old: Node, node: Node): ReadonlySet<NodeAspect> {
  const aspects = new Set<NodeAspect>();
  if (!semanticEqual(old.status?.allocatable, node.status?.allocatable)) aspects.add("allocatable");
  if (!semanticEqual(old.metadata.labels, node.metadata.labels)) aspects.add("labels");
  if (!semanticEqual(old.spec?.taints, node.spec?.taints)) aspects.add("taints");
  if ((old.spec?.unschedulable ?? false) !== (node.spec?.unschedulable ?? false)) aspects.add("unschedulable");
  const conditions = (of: Node): string => (of.status?.conditions ?? []).map(({ type, status }) => `${type}=${status}`).join();
  if (conditions(old) !== conditions(node)) aspects.add("condition");
  return aspects;
}
