/** The rules of an aggregated ClusterRole. Shared by the server's start-up and the aggregation controller. Counterpart: `pkg/controller/clusterroleaggregation`. */
import { isDeepStrictEqual } from "node:util";
import type { ClusterRole, PolicyRule } from "../schema/generated/models.ts";
import { matchesLabels, selectorFromObject } from "./label-selector.ts";

/** The rules of every other role its selectors pick, in order of name, each rule once. Throws SelectorError. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorFromObject), rules: PolicyRule[] = [];
  const picked = all.filter((each) => each.metadata.name !== role.metadata.name && selectors.some((selector) => matchesLabels(selector, each.metadata.labels)));
  for (const each of picked.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    for (const rule of each.rules ?? []) if (!rules.some((held) => isDeepStrictEqual(held, rule))) rules.push(rule);
  }
  return rules;
}
