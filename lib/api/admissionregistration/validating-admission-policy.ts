/** ValidatingAdmissionPolicy. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { ValidatingAdmissionPolicy } from "../schema/generated/models.ts";
import { validatingadmissionpolicies } from "../schema/generated/references.ts";

export const validatingAdmissionPolicyDefinition = defineResource<ValidatingAdmissionPolicy>({
  reference: validatingadmissionpolicies,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
