/** CSIStorageCapacity. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { CSIStorageCapacity } from "../schema/generated/models.ts";
import { csistoragecapacities } from "../schema/generated/references.ts";

export const csiStorageCapacityDefinition = defineResource<CSIStorageCapacity>({
  reference: csistoragecapacities,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
