/** Ingress. Counterpart: kubernetes pkg/registry/networking. */
import { defineResource } from "../define-resource.ts";
import type { Ingress } from "../schema/generated/models.ts";
import { ingresses } from "../schema/generated/references.ts";

export const ingressDefinition = defineResource<Ingress>({
  reference: ingresses,
  shortNames: ["ing"],
  hasGeneration: true,
});
