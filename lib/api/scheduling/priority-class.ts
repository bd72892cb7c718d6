/** PriorityClass. Counterpart: kubernetes pkg/registry/scheduling. */
import { defineResource } from "../define-resource.ts";
import type { PriorityClass } from "../schema/generated/models.ts";
import { priorityclasses } from "../schema/generated/references.ts";

export const priorityClassDefinition = defineResource<PriorityClass>({
  reference: priorityclasses,
  shortNames: ["pc"],
  hasGeneration: true,
});
