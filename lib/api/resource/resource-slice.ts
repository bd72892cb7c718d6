/** ResourceSlice. Counterpart: kubernetes pkg/registry/resource. */
import { defineResource } from "../define-resource.ts";
import type { ResourceSlice } from "../schema/generated/models.ts";
import { resourceslices } from "../schema/generated/references.ts";

export const resourceSliceDefinition = defineResource<ResourceSlice>({
  reference: resourceslices,
  hasGeneration: true,
  allowCreateOnUpdate: true,
  notRunYet: true,
});
