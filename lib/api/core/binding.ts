/** Binding. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Binding } from "../schema/generated/models.ts";
import { bindings } from "../schema/generated/references.ts";

export const bindingDefinition = defineResource<Binding>({
  reference: bindings,
});
