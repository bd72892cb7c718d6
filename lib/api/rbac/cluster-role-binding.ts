/** ClusterRoleBinding: who has a role's rights everywhere. Counterpart: kubernetes `registry/rbac/clusterrolebinding`. */
import { ageColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { ClusterRoleBinding } from "../schema/generated/models.ts";
import { clusterrolebindings } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsPathSegment } from "../validation/names.ts";
import { checkBinding, checkRoleRefKept, defaultBinding, roleColumn, subjectColumns } from "./rbac-validation.ts";

export const clusterRoleBindingDefinition = defineResource<ClusterRoleBinding>({
  reference: clusterrolebindings,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  defaults: defaultBinding,
  validate: (binding) => collect((errors) => checkBinding(errors, binding, false)),
  validateUpdate: (binding, old) => collect((errors) => {
    checkBinding(errors, binding, false);
    checkRoleRefKept(errors, binding, old);
  }),
  columns: [nameColumn, roleColumn, ageColumn, ...subjectColumns],
});
