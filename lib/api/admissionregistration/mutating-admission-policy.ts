/** MutatingAdmissionPolicy: changes to objects, as expressions. Counterpart: kubernetes `registry/admissionregistration/mutatingadmissionpolicy`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import type { MutatingAdmissionPolicy } from "../schema/generated/models.ts";
import { mutatingadmissionpolicies } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkMutations, checkPolicy, defaultMatch, paramKindCell } from "./policy-validation.ts";

function checkAll(errors: Errors, { spec }: MutatingAdmissionPolicy, old: MutatingAdmissionPolicy | undefined): void {
  const sameConditions = old !== undefined && semanticEqual(spec.paramKind, old.spec.paramKind) && semanticEqual(spec.matchConditions, old.spec.matchConditions);
  checkPolicy(errors, spec, sameConditions);
  checkMutations(errors, spec);
}

export const mutatingAdmissionPolicyDefinition = defineResource<MutatingAdmissionPolicy>({
  reference: mutatingadmissionpolicies,
  categories: ["api-extensions"],
  hasGeneration: true,
  generationChanged: (policy, old) => !semanticEqual(policy.spec, old.spec),
  allowUnconditionalUpdate: false,
  notRunYet: true,
  defaults: (policy) => {
    const spec = (policy.spec ??= {});
    spec.failurePolicy ??= "Fail";
    if (spec.matchConstraints !== undefined) defaultMatch(spec.matchConstraints);
  },
  validate: (policy) => collect((errors) => checkAll(errors, policy, undefined)),
  validateUpdate: (policy, old) => collect((errors) => checkAll(errors, policy, old)),
  columns: [
    nameColumn,
    column("Mutations", ({ spec }) => spec?.mutations?.length ?? 0, { type: "integer", description: "How many mutations there are." }),
    column("ParamKind", ({ spec }) => paramKindCell(spec?.paramKind), { description: "The kind of its parameters." }),
    ageColumn,
  ],
});
