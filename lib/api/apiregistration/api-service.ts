/** APIService. Counterpart: kubernetes pkg/registry/apiregistration. */
import { defineResource } from "../define-resource.ts";
import type { APIService } from "../schema/generated/models.ts";
import { apiservices } from "../schema/generated/references.ts";

export const apiServiceDefinition = defineResource<APIService>({
  reference: apiservices,
  categories: ["api-extensions"],
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
