/** ClusterRoleBinding. Counterpart: kubernetes pkg/registry/rbac. */
import { defineResource } from "../define-resource.ts";
import type { ClusterRoleBinding } from "../schema/generated/models.ts";
import { clusterrolebindings } from "../schema/generated/references.ts";
import { nameIsPathSegment } from "../validation/names.ts";

export const clusterRoleBindingDefinition = defineResource<ClusterRoleBinding>({
  reference: clusterrolebindings,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
});
