/** MutatingWebhookConfiguration: who may change an object before it is stored. Counterpart: kubernetes `registry/admissionregistration/mutatingwebhookconfiguration`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { MutatingWebhookConfiguration } from "../schema/generated/models.ts";
import { mutatingwebhookconfigurations } from "../schema/generated/references.ts";
import { collect } from "../validation/collect.ts";
import { checkWebhooks, defaultWebhook } from "./webhook-validation.ts";

export const mutatingWebhookConfigurationDefinition = defineResource<MutatingWebhookConfiguration>({
  reference: mutatingwebhookconfigurations,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: ({ webhooks }) => webhooks?.forEach((webhook) => {
    defaultWebhook(webhook);
    webhook.reinvocationPolicy ??= "Never";
  }),
  validate: (configuration) => collect((errors) => checkWebhooks(errors, configuration, undefined)),
  validateUpdate: (configuration, old) => collect((errors) => checkWebhooks(errors, configuration, old)),
  columns: [nameColumn, column("Webhooks", ({ webhooks }) => webhooks?.length ?? 0, { type: "integer", description: "How many webhooks there are." }), ageColumn],
});
