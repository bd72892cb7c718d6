/** Scopes of a quota: which objects it counts. Counterpart: apiserver `resourcequota` getScopeSelectorsFromQuota, kubernetes `apis/core/v1/helper`. */
import type { ResourceQuota, ScopedResourceSelectorRequirement } from "../schema/generated/models.ts";

/** Plain scopes and selectors as one list; an object must be in each. */
export const scopesOf = ({ spec }: ResourceQuota): ScopedResourceSelectorRequirement[] =>
  [...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })), ...(spec?.scopeSelector?.matchExpressions ?? [])];

/** Whether a selector of values takes an object with these. */
export function selectsValues({ operator, values = [] }: ScopedResourceSelectorRequirement, held: readonly string[]): boolean {
  switch (operator) {
    case "Exists": return held.length > 0;
    case "DoesNotExist": return held.length === 0;
    case "In": return held.some((value) => values.includes(value));
    case "NotIn": return held.length === 0 || held.some((value) => !values.includes(value));
    default: return false;
  }
}
