/** MutatingAdmissionPolicy. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { MutatingAdmissionPolicy } from "../schema/generated/models.ts";
import { mutatingadmissionpolicies } from "../schema/generated/references.ts";

export const mutatingAdmissionPolicyDefinition = defineResource<MutatingAdmissionPolicy>({
  reference: mutatingadmissionpolicies,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
