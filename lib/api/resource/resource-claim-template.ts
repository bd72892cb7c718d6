/** ResourceClaimTemplate. Counterpart: kubernetes pkg/registry/resource. */
import { defineResource } from "../define-resource.ts";
import type { ResourceClaimTemplate } from "../schema/generated/models.ts";
import { resourceclaimtemplates } from "../schema/generated/references.ts";

export const resourceClaimTemplateDefinition = defineResource<ResourceClaimTemplate>({
  reference: resourceclaimtemplates,
  notRunYet: true,
});
