/** Role. Counterpart: kubernetes pkg/registry/rbac. */
import { defineResource } from "../define-resource.ts";
import type { Role } from "../schema/generated/models.ts";
import { roles } from "../schema/generated/references.ts";
import { nameIsPathSegment } from "../validation/names.ts";

export const roleDefinition = defineResource<Role>({
  reference: roles,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
});
