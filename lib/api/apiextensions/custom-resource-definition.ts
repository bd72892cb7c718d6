/** CustomResourceDefinition. Counterpart: kubernetes pkg/registry/apiextensions. */
import { defineResource } from "../define-resource.ts";
import type { CustomResourceDefinition } from "../schema/generated/models.ts";
import { customresourcedefinitions } from "../schema/generated/references.ts";

export const customResourceDefinitionDefinition = defineResource<CustomResourceDefinition>({
  reference: customresourcedefinitions,
  shortNames: ["crd","crds"],
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
