/** How much of what a quota limits is used: pure. Counterpart: apiserver `quota/v1` CalculateUsage, `generic` Matches and CalculateUsageStats. */
import type { ResourceQuota } from "../schema/generated/models.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { addLists, maskList, type ResourceList } from "./resource-list.ts";
import { scopesOf } from "./scopes.ts";

/** Whether the quota limits anything of such an object, and counts this one. */
export function quotaMatches(quota: ResourceQuota, evaluator: QuotaEvaluator<unknown>, object: unknown): boolean {
  return evaluator.matching(Object.keys(quota.status?.hard ?? {})).length > 0 && scopesOf(quota).every((scope) => evaluator.inScope(object, scope));
}

/**
 * What is used of `spec.hard`, each name that somebody measures present, if only as zero.
 * `objects` gives those of the quota's namespace; undefined where they cannot be had, and then what they would have told is left out.
 */
export function measureUsage(quota: ResourceQuota, evaluators: readonly QuotaEvaluator<unknown>[], objects: (evaluator: QuotaEvaluator<unknown>) => Iterable<unknown> | undefined, now: Date): ResourceList {
  const names = Object.keys(quota.spec?.hard ?? {}), scopes = scopesOf(quota);
  let used: ResourceList = {};
  for (const evaluator of evaluators) {
    const measured = evaluator.matching(names), all = measured.length === 0 ? undefined : objects(evaluator);
    if (all === undefined) continue;
    used = addLists(used, Object.fromEntries(measured.map((name) => [name, "0"])));
    for (const object of all) if (scopes.every((scope) => evaluator.inScope(object, scope))) used = addLists(used, maskList(evaluator.usage(object, now), measured));
  }
  return used;
}
