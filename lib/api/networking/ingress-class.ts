/** IngressClass. Counterpart: kubernetes pkg/registry/networking. */
import { defineResource } from "../define-resource.ts";
import type { IngressClass } from "../schema/generated/models.ts";
import { ingressclasses } from "../schema/generated/references.ts";

export const ingressClassDefinition = defineResource<IngressClass>({
  reference: ingressclasses,
  hasGeneration: true,
});
