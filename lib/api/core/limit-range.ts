/** LimitRange. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { LimitRange } from "../schema/generated/models.ts";
import { limitranges } from "../schema/generated/references.ts";

export const limitRangeDefinition = defineResource<LimitRange>({
  reference: limitranges,
  shortNames: ["limits"],
  allowCreateOnUpdate: true,
  notRunYet: true,
});
