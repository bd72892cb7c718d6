/** MutatingAdmissionPolicyBinding. Counterpart: kubernetes pkg/registry/admissionregistration. */
import { defineResource } from "../define-resource.ts";
import type { MutatingAdmissionPolicyBinding } from "../schema/generated/models.ts";
import { mutatingadmissionpolicybindings } from "../schema/generated/references.ts";

export const mutatingAdmissionPolicyBindingDefinition = defineResource<MutatingAdmissionPolicyBinding>({
  reference: mutatingadmissionpolicybindings,
  categories: ["api-extensions"],
  hasGeneration: true,
  allowUnconditionalUpdate: false,
  notRunYet: true,
});
