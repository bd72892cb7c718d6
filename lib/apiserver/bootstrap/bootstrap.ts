/**
 * Start-up work of the server: what every cluster must hold before it serves anybody.
 *
 * Promises: idempotent; adds what is missing and takes nothing away; with several servers starting at once, the loser
 * of a race goes on (the object is there then). Namespaces come first, aggregated roles last, because they depend.
 * Counterpart: `pkg/registry/rbac/rest` post-start hooks, system namespaces and priority classes.
 */
import { isDeepStrictEqual } from "node:util";
import { aggregatedRules } from "../../api/helpers/cluster-role-aggregation.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { ResourceReference } from "../../api/reference.ts";
import { clusterrolebindings, clusterroles, namespaces, priorityclasses, rolebindings, roles } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Logger } from "../../util/logger.ts";
import type { CacheReader, InternalWriter } from "../contracts.ts";
import { bootstrapClusterRoleBindings, kubeadmClusterRoleBindings } from "./cluster-role-bindings.ts";
import { componentRoles } from "./component-roles.ts";
import { controllerRoles } from "./controller-roles.ts";
import { namespaceRoleBindings, namespaceRoles } from "./namespace-roles.ts";
import { planBinding, planRole, type RbacPlan } from "./plan-rbac.ts";
import { SYSTEM_NAMESPACES, systemNamespace, systemPriorityClasses } from "./system-objects.ts";
import { userRoles } from "./user-roles.ts";

export interface BootstrapDeps { readonly cache: CacheReader; readonly writer: InternalWriter; readonly log: Logger }

/** Writes what is missing. Resolves when all of it is in the cache's sight. Throws the first failure that is not a lost race. */
export async function bootstrapCluster(deps: BootstrapDeps): Promise<void> {
  await Promise.all(SYSTEM_NAMESPACES.map((name) => createIfMissing(deps, namespaces, systemNamespace(name))));
  await Promise.all([
    ...systemPriorityClasses().map((object) => createIfMissing(deps, priorityclasses, object)),
    ...[...userRoles(), ...componentRoles(), ...controllerRoles()].map((object) => reconcile(deps, clusterroles, object, planRole)),
    ...namespaceRoles().map((object) => reconcile(deps, roles, object, planRole)),
    ...[...bootstrapClusterRoleBindings(), ...kubeadmClusterRoleBindings()].map((object) => reconcile(deps, clusterrolebindings, object, planBinding)),
    ...namespaceRoleBindings().map((object) => reconcile(deps, rolebindings, object, planBinding)),
  ]);
  // From the inside out: edit holds view's rules, admin holds edit's.
  for (const name of ["view", "edit", "admin"]) await aggregate(deps, name);
}

async function createIfMissing<T extends KubeObject>(deps: BootstrapDeps, resource: ResourceReference<T>, object: T): Promise<void> {
  if (deps.cache.get(resource, object.metadata.namespace ?? "", object.metadata.name) !== undefined) return;
  await unlessRaced(deps.writer.create(resource, object));
}

async function reconcile<T extends KubeObject>(deps: BootstrapDeps, resource: ResourceReference<T>, expected: T, plan: (expected: T, existing: T | undefined) => RbacPlan<T>): Promise<void> {
  const { name, namespace } = expected.metadata, step = plan(expected, deps.cache.get(resource, namespace ?? "", name));
  switch (step.action) {
    case "none": return;
    case "conflict": return deps.log.warn({ resource: resource.plural, name, why: step.why }, "bootstrap binding left as it is");
    case "create": return unlessRaced(deps.writer.create(resource, step.object));
    case "update": return unlessRaced(deps.writer.update(resource, step.object));
  }
}

async function aggregate(deps: BootstrapDeps, name: string): Promise<void> {
  const role = deps.cache.get(clusterroles, "", name);
  if (role?.aggregationRule === undefined) return; // Made an ordinary role by its owner.
  const rules = aggregatedRules(role, deps.cache.list(clusterroles));
  if (!isDeepStrictEqual(rules, role.rules ?? [])) await unlessRaced(deps.writer.update(clusterroles, { ...role, rules }));
}

/** Another server, or a person, was quicker: the object is there. */
async function unlessRaced(write: Promise<unknown>): Promise<void> {
  try { await write; }
  catch (error) { if (!hasReason(error, "AlreadyExists", "Conflict")) throw error; }
}
