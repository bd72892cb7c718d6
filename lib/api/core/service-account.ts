/** ServiceAccount. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { ServiceAccount } from "../schema/generated/models.ts";
import { serviceaccounts } from "../schema/generated/references.ts";

export const serviceAccountDefinition = defineResource<ServiceAccount>({
  reference: serviceaccounts,
  shortNames: ["sa"],
});
