/** ValidatingWebhookConfiguration. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { ValidatingWebhookConfiguration } from "../schema/generated/models.ts";
import { validatingwebhookconfigurations } from "../schema/generated/references.ts";

export const validatingWebhookConfigurationDefinition = defineResource<ValidatingWebhookConfiguration>({
  reference: validatingwebhookconfigurations,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
