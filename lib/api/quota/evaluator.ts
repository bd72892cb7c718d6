/** What measures one kind for quotas. Counterpart: apiserver `quota/v1` Evaluator. */
import type { ScopedResourceSelectorRequirement } from "../schema/generated/models.ts";
import type { ResourceList } from "./resource-list.ts";

export interface QuotaEvaluator<T> {
  readonly group: string;
  readonly plural: string;
  /** Whether such a write can change what is used. */
  handles(operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT", subresource: string): boolean;
  /** Of these names of a quota, those it measures. */
  matching(names: readonly string[]): string[];
  inScope(object: T, selector: ScopedResourceSelectorRequirement): boolean;
  /** What the object does not name although a quota limits it, in upstream's words. */
  missing?(names: readonly string[], object: T): string | undefined;
  usage(object: T, now: Date): ResourceList;
  /** Whether a change gave something back, so that usage is worth counting anew. Absent: only deletion does. */
  frees?(old: T, object: T, now: Date): boolean;
}
