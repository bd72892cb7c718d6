/** Job. Counterpart: kubernetes pkg/registry/batch. */
import { defineResource } from "../define-resource.ts";
import type { Job } from "../schema/generated/models.ts";
import { jobs } from "../schema/generated/references.ts";

export const jobDefinition = defineResource<Job>({
  reference: jobs,
  categories: ["all"],
  hasGeneration: true,
  defaultPropagation: "orphan",
  notRunYet: true,
});
