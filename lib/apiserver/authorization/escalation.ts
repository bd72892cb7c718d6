/**
 * Nobody gives away what he does not hold: checked when roles and bindings are written.
 *
 * Writing a role needs all of its rules, or `escalate` on it; binding one needs all of its rules, or `bind` on it.
 * Runs after validation, as the last of the validating admission plugins. Counterpart: `policybased` storage of `pkg/registry/rbac`.
 */
import { isDeepStrictEqual } from "node:util";
import { clusterroles, roles } from "../../api/schema/generated/references.ts";
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding, RoleRef } from "../../api/schema/generated/models.ts";
import { forbidden, notFound } from "../../api/status-error.ts";
import type { AdmissionAttributes, AdmissionPlugin, Authorizer } from "../contracts.ts";
import { SUPERUSER_GROUP } from "./authorizer-union.ts";
import type { RbacIndex } from "./rbac-index.ts";
import { compactRules, missingRules, quotedList } from "./rbac-rules.ts";

const GROUP = "rbac.authorization.k8s.io";
const EVERYTHING: readonly PolicyRule[] = [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, { verbs: ["*"], nonResourceURLs: ["*"] }];

export class RbacEscalationCheck implements AdmissionPlugin {
  readonly name = "RBACEscalationCheck";
  readonly #index: RbacIndex;
  readonly #authorizer: Authorizer;
  constructor(deps: { index: RbacIndex; authorizer: Authorizer }) { this.#index = deps.index; this.#authorizer = deps.authorizer; }

  handles(operation: string, definition: { group: string; plural: string }, subresource: string): boolean {
    return (operation === "CREATE" || operation === "UPDATE") && definition.group === GROUP && subresource === ""
      && ["roles", "clusterroles", "rolebindings", "clusterrolebindings"].includes(definition.plural);
  }

  validate(attributes: AdmissionAttributes): void {
    if (attributes.user.groups.includes(SUPERUSER_GROUP)) return;
    if (attributes.definition.plural.endsWith("roles")) this.#checkRole(attributes);
    else this.#checkBinding(attributes);
  }

  #checkRole(attributes: AdmissionAttributes): void {
    const role = attributes.object as Role & ClusterRole, old = attributes.oldObject as (Role & ClusterRole) | undefined;
    // What others granted stays: only a change of the rules needs the rules.
    if (old !== undefined && isDeepStrictEqual(old.rules ?? [], role.rules ?? []) && isDeepStrictEqual(old.aggregationRule, role.aggregationRule)) return;
    if (this.#may(attributes, "escalate", attributes.definition.plural, attributes.name)) return;
    // What an aggregated role will hold is not known yet, so its author must hold everything.
    const aggregated = role.aggregationRule !== undefined && (old === undefined || !isDeepStrictEqual(old.aggregationRule, role.aggregationRule));
    this.#confirm(attributes, aggregated ? EVERYTHING : (role.rules ?? []));
  }

  #checkBinding(attributes: AdmissionAttributes): void {
    const binding = attributes.object as RoleBinding | ClusterRoleBinding, old = attributes.oldObject as RoleBinding | undefined, reference = binding.roleRef;
    if (old !== undefined && isDeepStrictEqual(old.subjects ?? [], binding.subjects ?? []) && isDeepStrictEqual(old.roleRef, reference)) return;
    if (this.#may(attributes, "bind", reference.kind === "Role" ? "roles" : "clusterroles", reference.name)) return;
    const rules = this.#index.resolveRole(reference, attributes.namespace);
    if (rules === undefined) throw notFound(resourceOf(reference), reference.name);
    this.#confirm(attributes, rules);
  }

  #may(attributes: AdmissionAttributes, verb: string, resource: string, name: string): boolean {
    const { user, namespace } = attributes;
    return this.#authorizer.authorize({ user, verb, isResourceRequest: true, path: "", apiGroup: GROUP, apiVersion: "*", resource, subresource: "", namespace, name }).decision === "allow";
  }

  #confirm(attributes: AdmissionAttributes, asked: readonly PolicyRule[]): void {
    const { user } = attributes, held = this.#index.rulesOf(user, attributes.namespace);
    const missing = missingRules(held.rules.map((each) => each.rule), asked);
    if (missing.length === 0) return;
    const unresolved = held.errors.length === 0 ? "" : `; resolution errors: [${held.errors.join(", ")}]`;
    throw forbidden(attributes.definition, attributes.name, `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${compactRules(missing).join("\n")}${unresolved}`);
  }
}

const resourceOf = (reference: RoleRef): { group: string; plural: string } => (reference.kind === "Role" ? roles : clusterroles);
