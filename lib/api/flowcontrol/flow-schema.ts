/** FlowSchema. Counterpart: kubernetes pkg/registry/flowcontrol. */
import { defineResource } from "../define-resource.ts";
import type { FlowSchema } from "../schema/generated/models.ts";
import { flowschemas } from "../schema/generated/references.ts";

export const flowSchemaDefinition = defineResource<FlowSchema>({
  reference: flowschemas,
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
