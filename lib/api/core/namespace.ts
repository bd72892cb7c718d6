/** Namespace. Counterpart: kubernetes pkg/registry/core. */
import { defineResource } from "../define-resource.ts";
import type { Namespace } from "../schema/generated/models.ts";
import { namespaces } from "../schema/generated/references.ts";
import { nameIsDnsLabel } from "../validation/names.ts";

export const namespaceDefinition = defineResource<Namespace>({
  reference: namespaces,
  shortNames: ["ns"],
  validateName: nameIsDnsLabel,
});
