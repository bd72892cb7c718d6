/** RoleBinding. Counterpart: kubernetes pkg/registry/rbac. */
import { defineResource } from "../define-resource.ts";
import type { RoleBinding } from "../schema/generated/models.ts";
import { rolebindings } from "../schema/generated/references.ts";
import { nameIsPathSegment } from "../validation/names.ts";

export const roleBindingDefinition = defineResource<RoleBinding>({
  reference: rolebindings,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
});
