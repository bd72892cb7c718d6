/** Conditions of a namespace on its way out: what was found and what still stands in the way. Pure. Counterpart: kubernetes `pkg/controller/namespace/deletion/status_condition_utils.go`. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import type { NamespaceCondition } from "../../api/schema/generated/models.ts";

/** The outcome of one attempt to empty a namespace. */
export interface EmptyingResult {
  /** Group versions that could not be discovered, with why. */
  readonly undiscovered: ReadonlyMap<string, string>;
  /** Deletions that failed. */
  readonly failures: readonly string[];
  /** `pods.` or `widgets.example.com` to how many are left. */
  readonly remaining: ReadonlyMap<string, number>;
  /** Finalizer to how many of the remaining objects carry it. */
  readonly finalizers: ReadonlyMap<string, number>;
}

const counted = (counts: ReadonlyMap<string, number>, text: (name: string, count: number) => string): string => [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => text(name, count)).join(", ");

function describe(result: EmptyingResult): Omit<NamespaceCondition, "lastTransitionTime">[] {
  const problem = (type: string, found: boolean, reason: string, message: string, okReason: string, okMessage: string): Omit<NamespaceCondition, "lastTransitionTime"> =>
    (found ? { type, status: "True", reason, message } : { type, status: "False", reason: okReason, message: okMessage });
  const undiscovered = [...result.undiscovered].map(([group, why]) => `${group}: ${why}`).join(", ");
  return [
    problem("NamespaceDeletionDiscoveryFailure", result.undiscovered.size > 0, "DiscoveryFailed", `Discovery failed for some groups, ${result.undiscovered.size} failing: unable to retrieve the complete list of server APIs: ${undiscovered}`, "ResourcesDiscovered", "All resources successfully discovered"),
    problem("NamespaceDeletionGroupVersionParsingFailure", false, "", "", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    problem("NamespaceDeletionContentFailure", result.failures.length > 0, "ContentDeletionFailed", `Failed to delete all resource types, ${result.failures.length} remaining: ${result.failures.join(", ")}`, "ContentDeleted", "All content successfully deleted, may be waiting on finalization"),
    problem("NamespaceContentRemaining", result.remaining.size > 0, "SomeResourcesRemain", `Some resources are remaining: ${counted(result.remaining, (name, n) => `${name} has ${n} resource instances`)}`, "ContentRemoved", "All content successfully removed"),
    problem("NamespaceFinalizersRemaining", result.finalizers.size > 0, "SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${counted(result.finalizers, (name, n) => `${name} in ${n} resource instances`)}`, "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
  ];
}

/** The namespace's conditions after an attempt; the very same list when nothing changed. */
export function planConditions(before: readonly NamespaceCondition[], result: EmptyingResult, now: Date): readonly NamespaceCondition[] {
  const fresh = describe(result);
  const same = fresh.every((c) => { const old = before.find((o) => o.type === c.type); return old?.status === c.status && old.reason === c.reason && old.message === c.message; });
  if (same) return before;
  const others = before.filter((o) => !fresh.some((c) => c.type === o.type));
  return [...others, ...fresh.map((c) => {
    const old = before.find((o) => o.type === c.type);
    return { ...c, lastTransitionTime: old?.status === c.status ? old.lastTransitionTime ?? toTimestamp(now) : toTimestamp(now) };
  })];
}
