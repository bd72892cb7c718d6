/** Pod. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Pod } from "../schema/generated/models.ts";
import { pods } from "../schema/generated/references.ts";

export const podDefinition = defineResource<Pod>({
  reference: pods,
  shortNames: ["po"],
  categories: ["all"],
  hasGeneration: true,
});
