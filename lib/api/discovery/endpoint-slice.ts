/** EndpointSlice. Counterpart: kubernetes pkg/registry/discovery. */
import { defineResource } from "../define-resource.ts";
import type { EndpointSlice } from "../schema/generated/models.ts";
import { endpointslices } from "../schema/generated/references.ts";

export const endpointSliceDefinition = defineResource<EndpointSlice>({
  reference: endpointslices,
  hasGeneration: true,
});
