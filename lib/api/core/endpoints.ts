/** Endpoints. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Endpoints } from "../schema/generated/models.ts";
import { endpoints } from "../schema/generated/references.ts";

export const endpointsDefinition = defineResource<Endpoints>({
  reference: endpoints,
  shortNames: ["ep"],
  allowCreateOnUpdate: true,
});
