/**
 * Which nodes a pod's nodeSelector and node affinity allow and prefer.
 * Terms are alternatives, requirements within one hold together; a term that asks for nothing, or cannot be understood, matches no node.
 * Counterpart: component-helpers `scheduling/corev1/nodeaffinity`.
 */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, PreferredSchedulingTerm } from "../schema/generated/models.ts";

type Labels = Readonly<Record<string, string>> | undefined;

const INT64 = /^[-+]?[0-9]{1,19}$/;

/** Whether `value` (undefined: the label is absent) satisfies the requirement. */
function holds({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case "In": return value !== undefined && values.includes(value);
    case "NotIn": return values.length > 0 && (value === undefined || !values.includes(value));
    case "Exists": return value !== undefined && values.length === 0;
    case "DoesNotExist": return value === undefined && values.length === 0;
    case "Gt": case "Lt": {
      const limit = values[0];
      if (value === undefined || limit === undefined || values.length !== 1 || !INT64.test(value) || !INT64.test(limit)) return false;
      const left = BigInt(value.replace(/^\+/, "")), right = BigInt(limit.replace(/^\+/, ""));
      return operator === "Gt" ? left > right : left < right;
    }
    default: return false;
  }
}

/** Fields know `metadata.name` with In and NotIn of one value only. */
function fieldHolds(requirement: NodeSelectorRequirement, name: string): boolean {
  if (requirement.key !== "metadata.name" || requirement.values?.length !== 1) return false;
  return (requirement.operator === "In" || requirement.operator === "NotIn") && holds(requirement, name);
}

/** Whether a node satisfies one term. */
export function matchesNodeSelectorTerm(term: NodeSelectorTerm, node: Node): boolean {
  const expressions = term.matchExpressions ?? [], fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  const labels: Labels = node.metadata.labels;
  return expressions.every((r) => holds(r, labels !== undefined && Object.hasOwn(labels, r.key) ? labels[r.key] : undefined)) && fields.every((r) => fieldHolds(r, node.metadata.name));
}

export const matchesNodeSelector = (selector: NodeSelector, node: Node): boolean => (selector.nodeSelectorTerms ?? []).some((term) => matchesNodeSelectorTerm(term, node));

/** Whether the pod asks anything of its node's labels or name. */
export const hasRequiredNodeAffinity = (spec: PodSpec | undefined): boolean =>
  (spec?.nodeSelector !== undefined && Object.keys(spec.nodeSelector).length > 0) || spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;

/** Whether the pod's nodeSelector and required node affinity allow the node. */
export function matchesRequiredNodeAffinity(spec: PodSpec | undefined, node: Node): boolean {
  const labels: Labels = node.metadata.labels;
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (labels === undefined || !Object.hasOwn(labels, key) || labels[key] !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesNodeSelector(required, node);
}

/** Sum of the weights of the preferred terms the node satisfies. */
export function preferredNodeAffinityScore(terms: readonly PreferredSchedulingTerm[], node: Node): number {
  let score = 0;
  for (const { weight, preference } of terms) {
    if (weight !== 0 && matchesNodeSelectorTerm(preference, node)) score += weight;
  }
  return score;
}
