/** Secret. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Secret } from "../schema/generated/models.ts";
import { secrets } from "../schema/generated/references.ts";

export const secretDefinition = defineResource<Secret>({
  reference: secrets,
});
