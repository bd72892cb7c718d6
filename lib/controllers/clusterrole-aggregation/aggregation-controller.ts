/**
 * Cluster role aggregation: a ClusterRole with an aggregation rule holds the rules of all roles its selectors match.
 * Counterpart: kubernetes `pkg/controller/clusterroleaggregation`. Differs: an update instead of an apply, so no fields change hands.
 */
import { matchesLabels, selectorFromObject } from "../../api/helpers/label-selector.ts";
import { clusterroles } from "../../api/schema/generated/references.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { ClusterRole, PolicyRule } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

/** The union of the rules of all roles that `role` aggregates: by role name, each rule once. */
export function planAggregation(role: ClusterRole, all: readonly ClusterRole[]): PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(selectorFromObject), rules: PolicyRule[] = [], taken = new Set<string>();
  for (const selector of selectors) {
    for (const other of all.filter((r) => matchesLabels(selector, r.metadata.labels)).toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      if (other.metadata.name === role.metadata.name || taken.has(other.metadata.name)) continue;
      taken.add(other.metadata.name);
      for (const rule of other.rules ?? []) if (!rules.some((r) => semanticEqual(r, rule))) rules.push(rule);
    }
  }
  return rules;
}

export function createAggregationController(context: ControllerContext, options: { workers: number }): Runnable {
  const roles = context.informers.get(clusterroles);
  const controller = new Controller(context, {
    name: "clusterrole-aggregation-controller", workers: options.workers, waitFor: [roles],
    async reconcile(name, signal) {
      const role = roles.get(name);
      if (role?.aggregationRule === undefined) return {};
      const rules = planAggregation(role, roles.list());
      if (semanticEqual(role.rules ?? [], rules)) return {};
      try { await context.client.update(clusterroles, { ...role, rules }, {}, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  // Any role may be part of any aggregate, and aggregates are few.
  roles.onChange(() => { for (const role of roles.list()) if (role.aggregationRule !== undefined) controller.queue.add(role.metadata.name); });
  return controller;
}
