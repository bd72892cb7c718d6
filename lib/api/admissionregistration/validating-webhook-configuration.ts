/** ValidatingWebhookConfiguration: who is asked before an object is stored. Counterpart: kubernetes `registry/admissionregistration/validatingwebhookconfiguration`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { ValidatingWebhookConfiguration } from "../schema/generated/models.ts";
import { validatingwebhookconfigurations } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { checkWebhooks, defaultWebhook } from "./webhook-validation.ts";

export const validatingWebhookConfigurationDefinition = defineResource<ValidatingWebhookConfiguration>({
  reference: validatingwebhookconfigurations,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: ({ webhooks }) => webhooks?.forEach(defaultWebhook),
  validate: (configuration) => collect((errors) => checkWebhooks(errors, configuration, undefined)),
  validateUpdate: (configuration, old) => collect((errors) => checkWebhooks(errors, configuration, old)),
  columns: [nameColumn, column("Webhooks", ({ webhooks }) => webhooks?.length ?? 0, { type: "integer", description: "How many webhooks there are." }), ageColumn],
});
