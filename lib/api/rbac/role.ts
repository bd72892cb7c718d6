/** Role: what may be done in one namespace. Counterpart: kubernetes `registry/rbac/role`. */
import { createdAtColumn, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { Role } from "../schema/generated/models.ts";
import { roles } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { nameIsPathSegment } from "../validation/names.ts";
import { checkRules } from "./rbac-validation.ts";

export const roleDefinition = defineResource<Role>({
  reference: roles,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
  validate: (role) => collect((errors) => checkRules(errors, role.rules, true)),
  columns: [nameColumn, createdAtColumn],
});
