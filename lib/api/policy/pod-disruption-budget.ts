/** PodDisruptionBudget. Counterpart: kubernetes pkg/registry/policy. */
import { defineResource } from "../define-resource.ts";
import type { PodDisruptionBudget } from "../schema/generated/models.ts";
import { poddisruptionbudgets } from "../schema/generated/references.ts";

export const podDisruptionBudgetDefinition = defineResource<PodDisruptionBudget>({
  reference: poddisruptionbudgets,
  shortNames: ["pdb"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
