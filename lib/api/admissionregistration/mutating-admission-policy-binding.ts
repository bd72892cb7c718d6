/** MutatingAdmissionPolicyBinding: where a policy holds, and with which parameters. Counterpart: kubernetes `registry/admissionregistration/mutatingadmissionpolicybinding`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { MutatingAdmissionPolicyBinding } from "../schema/generated/models.ts";
import { mutatingadmissionpolicybindings } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { checkPolicyReference, defaultMatch, paramRefCell } from "./policy-validation.ts";

export const mutatingAdmissionPolicyBindingDefinition = defineResource<MutatingAdmissionPolicyBinding>({
  reference: mutatingadmissionpolicybindings,
  categories: ["api-extensions"],
  hasGeneration: true,
  generationChanged: (binding, old) => !semanticEqual(binding.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: ({ spec }) => {
    if (spec?.matchResources !== undefined) defaultMatch(spec.matchResources);
  },
  validate: ({ spec }) => collect((errors) => checkPolicyReference(errors, spec ?? {})),
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? "", { description: "The policy." }),
    column("ParamRef", ({ spec }) => paramRefCell(spec?.paramRef), { description: "Its parameters." }),
    ageColumn,
  ],
});
