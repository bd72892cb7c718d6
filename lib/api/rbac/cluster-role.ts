/** ClusterRole. Counterpart: kubernetes pkg/registry/rbac. */
import { defineResource } from "../define-resource.ts";
import type { ClusterRole } from "../schema/generated/models.ts";
import { clusterroles } from "../schema/generated/references.ts";
import { nameIsPathSegment } from "../validation/names.ts";

export const clusterRoleDefinition = defineResource<ClusterRole>({
  reference: clusterroles,
  allowCreateOnUpdate: true,
  validateName: nameIsPathSegment,
});
