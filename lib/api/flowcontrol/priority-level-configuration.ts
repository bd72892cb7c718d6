/** PriorityLevelConfiguration. Counterpart: kubernetes pkg/registry/flowcontrol. */
import { defineResource } from "../define-resource.ts";
import type { PriorityLevelConfiguration } from "../schema/generated/models.ts";
import { prioritylevelconfigurations } from "../schema/generated/references.ts";

export const priorityLevelConfigurationDefinition = defineResource<PriorityLevelConfiguration>({
  reference: prioritylevelconfigurations,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
