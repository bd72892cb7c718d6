/** NetworkPolicy. Counterpart: kubernetes pkg/registry/networking. */
import { defineResource } from "../define-resource.ts";
import type { NetworkPolicy } from "../schema/generated/models.ts";
import { networkpolicies } from "../schema/generated/references.ts";

export const networkPolicyDefinition = defineResource<NetworkPolicy>({
  reference: networkpolicies,
  shortNames: ["netpol"],
  hasGeneration: true,
  notRunYet: true,
});
