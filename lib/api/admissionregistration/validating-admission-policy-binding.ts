/** ValidatingAdmissionPolicyBinding: where a policy holds, and with which parameters. Counterpart: kubernetes `registry/admissionregistration/validatingadmissionpolicybinding`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { ValidatingAdmissionPolicyBinding } from "../schema/generated/models.ts";
import { validatingadmissionpolicybindings } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { collect } from "../validation/collect.ts";
import { checkActions, checkPolicyReference, defaultMatch, paramRefCell } from "./policy-validation.ts";

export const validatingAdmissionPolicyBindingDefinition = defineResource<ValidatingAdmissionPolicyBinding>({
  reference: validatingadmissionpolicybindings,
  categories: ["api-extensions"],
  hasGeneration: true,
  generationChanged: (binding, old) => !semanticEqual(binding.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: ({ spec }) => {
    if (spec?.matchResources !== undefined) defaultMatch(spec.matchResources);
  },
  validate: ({ spec }) => collect((errors) => {
    checkPolicyReference(errors, spec ?? {});
    checkActions(errors, spec?.validationActions ?? []);
  }),
  columns: [
    nameColumn,
    column("PolicyName", ({ spec }) => spec?.policyName ?? "", { description: "The policy." }),
    column("ParamRef", ({ spec }) => paramRefCell(spec?.paramRef), { description: "Its parameters." }),
    ageColumn,
  ],
});
