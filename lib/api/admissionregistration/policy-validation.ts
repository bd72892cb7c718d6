/**
 * What admission policies and their bindings must be. Expressions are kept as they are: nothing here reads CEL.
 * Counterpart: `validateValidatingAdmissionPolicy…` and siblings in kubernetes `apis/admissionregistration/validation`.
 */
import { duplicate, forbiddenField, invalid, notSupported, required } from "../field-error.ts";
import { SPEC, type FieldPath } from "../field-path.ts";
import type { AuditAnnotation, MatchResources, MutatingAdmissionPolicySpec, Mutation, NamedRuleWithOperations, ParamKind, ParamRef, ValidatingAdmissionPolicySpec, Validation, Variable } from "../schema/generated/models.ts";
import { checkDnsSubdomain, checkLabelKey, checkOneOf, checkOptionalOneOf, checkText, type Errors } from "../validation/checks.ts";
import { checkLabelSelector } from "../validation/labels.ts";
import { byteLength, isDns1035Label, isDns1123Subdomain, isPathSegmentName } from "../validation/names.ts";
import { checkMatchConditions, checkRule } from "./rule-validation.ts";

const AUDIT_ANNOTATIONS_MAX = 20, AUDIT_EXPRESSION_BYTES_MAX = 5 * 1024;
const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const ACTIONS = ["Audit", "Deny", "Warn"];
const RESERVED = new Set([
  "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
]);
const identifierRegexp = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

type AnyPolicy = Pick<ValidatingAdmissionPolicySpec, "failurePolicy" | "matchConditions" | "matchConstraints" | "paramKind" | "variables">;

export function defaultMatch(match: MatchResources): void {
  match.matchPolicy ??= "Equivalent";
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  for (const rule of [...(match.resourceRules ?? []), ...(match.excludeResourceRules ?? [])]) rule.scope ??= "*";
}

export function checkPolicy(errors: Errors, spec: AnyPolicy, sameConditions: boolean): void {
  const { paramKind, matchConstraints } = spec, path = SPEC.child("matchConstraints");
  checkOneOf(errors, SPEC.child("failurePolicy"), spec.failurePolicy, ["Fail", "Ignore"]);
  if (paramKind !== undefined) checkParamKind(errors, SPEC.child("paramKind"), paramKind);
  if (matchConstraints === undefined) errors.push(required(path));
  else {
    checkMatch(errors, path, matchConstraints);
    if ((matchConstraints.resourceRules ?? []).length === 0) errors.push(required(path.child("resourceRules")));
  }
  if (!sameConditions) checkMatchConditions(errors, SPEC.child("matchConditions"), spec.matchConditions ?? []);
  spec.variables?.forEach((variable, i) => checkVariable(errors, SPEC.child("variables").index(i), variable));
}

function checkParamKind(errors: Errors, path: FieldPath, { apiVersion = "", kind = "" }: ParamKind): void {
  const parts = apiVersion.split("/"), at = path.child("apiVersion"), version = parts.at(-1)!, group = parts.length === 2 ? parts[0]! : "";
  if (apiVersion === "") errors.push(required(at));
  else if (parts.length > 2) errors.push(invalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  else {
    const groupFaults = group === "" ? [] : isDns1123Subdomain(group), versionFaults = isDns1035Label(version);
    if (groupFaults.length > 0) errors.push(invalid(at, group, groupFaults.join(",")));
    if (version === "") errors.push(invalid(at, apiVersion, "version must be specified"));
    else if (versionFaults.length > 0) errors.push(invalid(at, version, versionFaults.join(",")));
  }
  const kindFaults = isDns1035Label(kind.toLowerCase());
  if (kind === "") errors.push(required(path.child("kind")));
  else if (kindFaults.length > 0) errors.push(invalid(path.child("kind"), kind, `may have mixed case, but should otherwise match: ${kindFaults.join(",")}`));
}

export function checkMatch(errors: Errors, path: FieldPath, match: MatchResources): void {
  checkOneOf(errors, path.child("matchPolicy"), match.matchPolicy, ["Equivalent", "Exact"]);
  for (const field of ["namespaceSelector", "objectSelector"] as const) {
    if (match[field] === undefined) errors.push(required(path.child(field)));
    else checkLabelSelector(errors, path.child(field), match[field]);
  }
  for (const field of ["resourceRules", "excludeResourceRules"] as const) match[field]?.forEach((rule, i) => checkNamedRule(errors, path.child(field).index(i), rule));
}

function checkNamedRule(errors: Errors, path: FieldPath, rule: NamedRuleWithOperations): void {
  const names = rule.resourceNames ?? [], at = path.child("resourceNames");
  names.forEach((name, i) => {
    checkText(errors, at.index(i), name, isPathSegmentName);
    if (names.indexOf(name) !== i) errors.push(duplicate(at.index(i), name));
  });
  checkRule(errors, path, rule);
}

function checkVariable(errors: Errors, path: FieldPath, variable: Variable): void {
  const name = variable.name ?? "";
  if (name.trim() === "") errors.push(required(path.child("name"), "name is not specified"));
  else if (!identifierRegexp.test(name) || RESERVED.has(name)) errors.push(invalid(path.child("name"), name, "name is not a valid CEL identifier"));
  if ((variable.expression ?? "").trim() === "") errors.push(required(path.child("expression"), "expression is not specified"));
}

export function checkValidations(errors: Errors, policyName: string, { validations = [], auditAnnotations = [] }: ValidatingAdmissionPolicySpec): void {
  const path = SPEC.child("auditAnnotations"), none = "validations or auditAnnotations must contain at least one item", keys = new Set<string>();
  if (validations.length === 0 && auditAnnotations.length === 0) {
    errors.push(required(SPEC.child("validations"), none), required(path, none));
    return;
  }
  validations.forEach((validation, i) => checkValidation(errors, SPEC.child("validations").index(i), validation));
  if (auditAnnotations.length > AUDIT_ANNOTATIONS_MAX) errors.push(invalid(path, auditAnnotations, `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`));
  auditAnnotations.forEach((annotation, i) => {
    checkAuditAnnotation(errors, path.index(i), policyName, annotation);
    if (keys.has(annotation.key)) errors.push(duplicate(path.index(i).child("key"), annotation.key));
    keys.add(annotation.key);
  });
}

function checkValidation(errors: Errors, path: FieldPath, validation: Validation): void {
  const { message = "", messageExpression = "", reason } = validation;
  if ((validation.expression ?? "").trim() === "") errors.push(required(path.child("expression"), "expression is not specified"));
  if (messageExpression !== "" && messageExpression.trim() === "") errors.push(invalid(path.child("messageExpression"), messageExpression, "must be non-empty if specified"));
  if (message !== "" && message.trim() === "") errors.push(invalid(path.child("message"), message, "message must be non-empty if specified"));
  else if (/[\n\r]/.test(message.trim())) errors.push(invalid(path.child("message"), message, "message must not contain line breaks"));
  checkOptionalOneOf(errors, path.child("reason"), reason, REASONS);
}

function checkAuditAnnotation(errors: Errors, path: FieldPath, policyName: string, annotation: AuditAnnotation): void {
  const key = annotation.key ?? "", expression = (annotation.valueExpression ?? "").trim(), at = path.child("valueExpression");
  if (policyName === "") errors.push(invalid(path.child("key"), key, "requires metadata.name be non-empty"));
  else checkLabelKey(errors, path.child("key"), `${policyName}/${key}`);
  if (expression === "") errors.push(required(at, "valueExpression is not specified"));
  else if (byteLength(expression) > AUDIT_EXPRESSION_BYTES_MAX) errors.push(required(at, `must not exceed ${AUDIT_EXPRESSION_BYTES_MAX} bytes in length`));
}

export function checkMutations(errors: Errors, { mutations = [], reinvocationPolicy }: MutatingAdmissionPolicySpec): void {
  if (mutations.length === 0) errors.push(required(SPEC.child("mutations"), "mutations must contain at least one item"));
  mutations.forEach((mutation, i) => checkMutation(errors, SPEC.child("mutations").index(i), mutation));
  checkOneOf(errors, SPEC.child("reinvocationPolicy"), reinvocationPolicy, ["IfNeeded", "Never"]);
}

function checkMutation(errors: Errors, path: FieldPath, mutation: Mutation): void {
  const { patchType } = mutation as Partial<Mutation>, field = patchType === "JSONPatch" ? "jsonPatch" : "applyConfiguration", other = field === "jsonPatch" ? "applyConfiguration" : "jsonPatch";
  if ((patchType ?? "") === "") errors.push(required(path.child("patchType")));
  else if (patchType !== "JSONPatch" && patchType !== "ApplyConfiguration") errors.push(notSupported(path.child("patchType"), patchType, ["ApplyConfiguration", "JSONPatch"]));
  else {
    if (mutation[field] === undefined) errors.push(required(path.child(field), `must be specified when patchType is ${patchType}`));
    else if ((mutation[field].expression ?? "").trim() === "") errors.push(required(path.child(field, "expression"), "expression is not specified"));
    if (mutation[other] !== undefined) errors.push(forbiddenField(path.child(other), `must not be specified when patchType is ${patchType}`));
  }
}

export function checkPolicyReference(errors: Errors, spec: { readonly policyName?: string | undefined; readonly paramRef?: ParamRef | undefined; readonly matchResources?: MatchResources | undefined }): void {
  const path = SPEC.child("policyName");
  if ((spec.policyName ?? "") === "") errors.push(required(path));
  else checkDnsSubdomain(errors, path, spec.policyName!);
  if (spec.paramRef !== undefined) checkParamRef(errors, SPEC.child("paramRef"), spec.paramRef);
  if (spec.matchResources !== undefined) checkMatch(errors, SPEC.child("matchResources"), spec.matchResources);
}

function checkParamRef(errors: Errors, path: FieldPath, { name = "", selector, parameterNotFoundAction: action }: ParamRef): void {
  const exclusive = "name and selector are mutually exclusive";
  if (name !== "") {
    checkText(errors, path.child("name"), name, isPathSegmentName);
    if (selector !== undefined) errors.push(forbiddenField(path.child("name"), exclusive));
  }
  checkLabelSelector(errors, path.child("selector"), selector);
  if (selector !== undefined && name !== "") errors.push(forbiddenField(path.child("selector"), exclusive));
  if (name === "" && selector === undefined) errors.push(required(path, "one of name or selector must be specified"));
  checkOneOf(errors, path.child("parameterNotFoundAction"), action, ["Deny", "Allow"]);
}

export function checkActions(errors: Errors, actions: readonly string[]): void {
  const path = SPEC.child("validationActions");
  actions.forEach((action, i) => {
    if (!ACTIONS.includes(action)) errors.push(notSupported(path.index(i), action, ACTIONS));
    if (actions.indexOf(action) !== i) errors.push(duplicate(path.index(i), action));
  });
  if (actions.includes("Deny") && actions.includes("Warn")) {
    errors.push(invalid(path, actions, "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"));
  }
  if (actions.length === 0) errors.push(required(path, "at least one validation action is required"));
}

export const paramKindCell = (paramKind: ParamKind | undefined): string => (paramKind === undefined ? "<unset>" : `${paramKind.apiVersion ?? ""}/${paramKind.kind ?? ""}`);
export function paramRefCell(paramRef: ParamRef | undefined): string {
  if (paramRef === undefined) return "<unset>";
  return (paramRef.namespace ?? "") === "" ? (paramRef.name ?? "") : `${paramRef.namespace}/${paramRef.name ?? ""}`;
}
