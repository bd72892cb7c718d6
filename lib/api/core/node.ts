/** Node. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Node } from "../schema/generated/models.ts";
import { nodes } from "../schema/generated/references.ts";

export const nodeDefinition = defineResource<Node>({
  reference: nodes,
  shortNames: ["no"],
});
