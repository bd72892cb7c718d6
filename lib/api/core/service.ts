/** Service. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Service } from "../schema/generated/models.ts";
import { services } from "../schema/generated/references.ts";
import { nameIsDns1035Label } from "../validation/names.ts";

export const serviceDefinition = defineResource<Service>({
  reference: services,
  shortNames: ["svc"],
  categories: ["all"],
  allowCreateOnUpdate: true,
  validateName: nameIsDns1035Label,
});
