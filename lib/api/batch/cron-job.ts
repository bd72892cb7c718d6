/** CronJob. Counterpart: kubernetes pkg/registry/batch. */
import { defineResource } from "../define-resource.ts";
import type { CronJob } from "../schema/generated/models.ts";
import { cronjobs } from "../schema/generated/references.ts";

export const cronJobDefinition = defineResource<CronJob>({
  reference: cronjobs,
  shortNames: ["cj"],
  categories: ["all"],
  hasGeneration: true,
  notRunYet: true,
});
