/** Lease. Counterpart: kubernetes pkg/registry/coordination. */
import { defineResource } from "../define-resource.ts";
import type { Lease } from "../schema/generated/models.ts";
import { leases } from "../schema/generated/references.ts";

export const leaseDefinition = defineResource<Lease>({
  reference: leases,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
});
