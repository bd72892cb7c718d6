/** ValidatingAdmissionPolicyBinding. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { ValidatingAdmissionPolicyBinding } from "../schema/generated/models.ts";
import { validatingadmissionpolicybindings } from "../schema/generated/references.ts";

export const validatingAdmissionPolicyBindingDefinition = defineResource<ValidatingAdmissionPolicyBinding>({
  reference: validatingadmissionpolicybindings,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
