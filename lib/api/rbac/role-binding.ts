/** RoleBinding: who has a role's rights in one namespace. Counterpart: kubernetes `registry/rbac/rolebinding`. */
import { ageColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { RoleBinding } from "../schema/generated/models.ts";
import { rolebindings } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsPathSegment } from "../validation/names.ts";
import { checkBinding, checkRoleRefKept, defaultBinding, roleColumn, subjectColumns } from "./rbac-validation.ts";

export const roleBindingDefinition = defineResource<RoleBinding>({
  reference: rolebindings,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: defaultBinding,
  validate: (binding) => collect((errors) => checkBinding(errors, binding, true)),
  validateUpdate: (binding, old) => collect((errors) => {
    checkBinding(errors, binding, true);
    checkRoleRefKept(errors, binding, old);
  }),
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
});
