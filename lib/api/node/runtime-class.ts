/** RuntimeClass. Counterpart: kubernetes pkg/registry/node. */
import { defineResource } from "../define-resource.ts";
import type { RuntimeClass } from "../schema/generated/models.ts";
import { runtimeclasses } from "../schema/generated/references.ts";

export const runtimeClassDefinition = defineResource<RuntimeClass>({
  reference: runtimeclasses,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
