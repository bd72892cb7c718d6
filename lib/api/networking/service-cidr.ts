/** ServiceCIDR. Counterpart: kubernetes pkg/registry/networking. */
import { defineResource } from "../define-resource.ts";
import type { ServiceCIDR } from "../schema/generated/models.ts";
import { servicecidrs } from "../schema/generated/references.ts";

export const serviceCidrDefinition = defineResource<ServiceCIDR>({
  reference: servicecidrs,
  notRunYet: true,
});
