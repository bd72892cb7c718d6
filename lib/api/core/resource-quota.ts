/** ResourceQuota. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { ResourceQuota } from "../schema/generated/models.ts";
import { resourcequotas } from "../schema/generated/references.ts";

export const resourceQuotaDefinition = defineResource<ResourceQuota>({
  reference: resourcequotas,
  shortNames: ["quota"],
  notRunYet: true,
});
