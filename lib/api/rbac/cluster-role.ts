/** ClusterRole: what may be done everywhere, or wherever a binding says. Counterpart: kubernetes `registry/rbac/clusterrole`. */
import { createdAtColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { required, type FieldError } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { ClusterRole } from "../schema/generated/models.ts";
import { clusterroles } from "../schema/generated/references.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { nameIsPathSegment } from "../validation/names.ts";
import { checkRules } from "./rbac-validation.ts";

const SELECTORS = FieldPath.of("aggregationRule", "clusterRoleSelectors");

function validate(role: ClusterRole): FieldError[] {
  const errors: FieldError[] = [];
  checkRules(errors, role.rules, false);
  if (role.aggregationRule !== undefined) {
    const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
    if (selectors.length === 0) errors.push(required(SELECTORS, "at least one clusterRoleSelector required if aggregationRule is non-nil"));
    selectors.forEach((selector, i) => checkLabelSelector(errors, SELECTORS.index(i), selector));
  }
  return errors;
}

export const clusterRoleDefinition = defineResource<ClusterRole>({
  reference: clusterroles,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate,
  columns: [nameColumn, createdAtColumn],
});
