/** ValidatingAdmissionPolicy: rules for objects, as expressions. Counterpart: kubernetes `registry/admissionregistration/validatingadmissionpolicy`. */
import { ageColumn, column, nameColumn } from "../columns.ts";
import { defineResource } from "../define-resource.ts";
import { keepMetadata } from "../helpers/status-metadata.ts";
import { required } from "../field-error.ts";
import { STATUS } from "../field-path.ts";
import type { ValidatingAdmissionPolicy } from "../schema/generated/models.ts";
import { validatingadmissionpolicies } from "../schema/generated/references.ts";
import { semanticEqual } from "../semantic-equal.ts";
import type { Errors } from "../validation/checks.ts";
import { collect } from "../validation/collect.ts";
import { checkConditions } from "../validation/conditions.ts";
import { checkPolicy, checkValidations, defaultMatch, paramKindCell } from "./policy-validation.ts";

function checkAll(errors: Errors, { metadata, spec }: ValidatingAdmissionPolicy, old: ValidatingAdmissionPolicy | undefined): void {
  const sameConditions = old !== undefined && semanticEqual(spec.paramKind, old.spec.paramKind) && semanticEqual(spec.matchConditions, old.spec.matchConditions);
  checkPolicy(errors, spec, sameConditions);
  checkValidations(errors, metadata.name ?? "", spec);
}

function checkStatus(errors: Errors, { status }: ValidatingAdmissionPolicy): void {
  status?.typeChecking?.expressionWarnings?.forEach(({ warning, fieldRef }, i) => {
    const path = STATUS.child("typeChecking", "expressionWarnings").index(i);
    if ((warning ?? "") === "") errors.push(required(path.child("warning")));
    if ((fieldRef ?? "").trim() === "") errors.push(required(path.child("fieldRef")));
  });
  checkConditions(errors, STATUS.child("conditions"), status?.conditions);
}

export const validatingAdmissionPolicyDefinition = defineResource<ValidatingAdmissionPolicy>({
  reference: validatingadmissionpolicies,
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
  prepareForCreate: (policy) => void (policy.status = {}),
  prepareForUpdate: (policy, old) => void (policy.status = old.status),
  prepareForStatusUpdate: (policy, old) => {
    policy.spec = old.spec;
    keepMetadata(policy, old);
  },
  validate: (policy) => collect((errors) => checkAll(errors, policy, undefined)),
  validateUpdate: (policy, old) => collect((errors) => checkAll(errors, policy, old)),
  validateStatusUpdate: (policy) => collect((errors) => checkStatus(errors, policy)),
  columns: [
    nameColumn,
    column("Validations", ({ spec }) => spec?.validations?.length ?? 0, { type: "integer", description: "How many validations there are." }),
    column("ParamKind", ({ spec }) => paramKindCell(spec?.paramKind), { description: "The kind of its parameters." }),
    ageColumn,
  ],
});
