/** PodTemplate. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { PodTemplate } from "../schema/generated/models.ts";
import { podtemplates } from "../schema/generated/references.ts";

export const podTemplateDefinition = defineResource<PodTemplate>({
  reference: podtemplates,
  hasGeneration: true,
});
