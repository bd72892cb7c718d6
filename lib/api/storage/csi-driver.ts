/** CSIDriver. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { CSIDriver } from "../schema/generated/models.ts";
import { csidrivers } from "../schema/generated/references.ts";

export const csiDriverDefinition = defineResource<CSIDriver>({
  reference: csidrivers,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
