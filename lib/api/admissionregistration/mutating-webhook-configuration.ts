/** MutatingWebhookConfiguration. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { MutatingWebhookConfiguration } from "../schema/generated/models.ts";
import { mutatingwebhookconfigurations } from "../schema/generated/references.ts";

export const mutatingWebhookConfigurationDefinition = defineResource<MutatingWebhookConfiguration>({
  reference: mutatingwebhookconfigurations,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
