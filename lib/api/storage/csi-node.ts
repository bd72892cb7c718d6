/** CSINode. Counterpart: kubernetes pkg/registry/storage. */
import { defineResource } from "../define-resource.ts";
import type { CSINode } from "../schema/generated/models.ts";
import { csinodes } from "../schema/generated/references.ts";

export const csiNodeDefinition = defineResource<CSINode>({
  reference: csinodes,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
