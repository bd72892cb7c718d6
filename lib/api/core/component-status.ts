/** ComponentStatus. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { ComponentStatus } from "../schema/generated/models.ts";
import { componentstatuses } from "../schema/generated/references.ts";

export const componentStatusDefinition = defineResource<ComponentStatus>({
  reference: componentstatuses,
  shortNames: ["cs"],
});
