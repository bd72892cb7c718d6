/** ResourceClaim. Counterpart: kubernetes pkg/registry/resource. */
import { defineResource } from "../define-resource.ts";
import type { ResourceV1ResourceClaim } from "../schema/generated/models.ts";
import { resourceclaims } from "../schema/generated/references.ts";

export const resourceClaimDefinition = defineResource<ResourceV1ResourceClaim>({
  reference: resourceclaims,
  notRunYet: true,
});
