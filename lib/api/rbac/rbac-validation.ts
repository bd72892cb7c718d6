/** What roles and bindings must be, and what bindings default to. Counterpart: kubernetes `apis/rbac/validation` and `apis/rbac/v1/defaults.go`. */
import { column } from "../columns.ts";
import { invalid, notSupported, required } from "../field-error.ts";
import { FieldPath } from "../field-path.ts";
import type { Column, KubeObject } from "../resource-definition.ts";
import type { PolicyRule, RbacV1Subject, RoleRef } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { checkText, type Errors } from "../validation/checks.ts";
import { isDns1123Subdomain, isPathSegmentName } from "../validation/names.ts";

const GROUP = "rbac.authorization.k8s.io";
const RULES = FieldPath.of("rules"), ROLE_REF = FieldPath.of("roleRef"), SUBJECTS = FieldPath.of("subjects");

export interface RoleGrant extends KubeObject { roleRef: RoleRef; subjects?: RbacV1Subject[] | undefined }

export function defaultBinding({ roleRef, subjects }: RoleGrant): void {
  if (roleRef !== undefined) roleRef.apiGroup ||= GROUP;
  for (const subject of subjects ?? []) if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup ||= GROUP;
}

function checkRule(errors: Errors, path: FieldPath, rule: PolicyRule, namespaced: boolean): void {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs: urls = [] } = rule;
  if ((verbs ?? []).length === 0) errors.push(required(path.child("verbs"), "verbs must contain at least one value"));
  if (urls.length > 0) {
    if (namespaced) errors.push(invalid(path.child("nonResourceURLs"), urls, "namespaced rules cannot apply to non-resource URLs"));
    if (apiGroups.length + resources.length + resourceNames.length > 0) errors.push(invalid(path.child("nonResourceURLs"), urls, "rules cannot apply to both regular resources and non-resource URLs"));
    return;
  }
  if (apiGroups.length === 0) errors.push(required(path.child("apiGroups"), "resource rules must supply at least one api group"));
  if (resources.length === 0) errors.push(required(path.child("resources"), "resource rules must supply at least one resource"));
  if (resourceNames.length > 0 && resources.length > 1) errors.push(required(path.child("resourceNames"), "resource names cannot apply to multiple resources"));
}

export function checkRules(errors: Errors, rules: readonly PolicyRule[] | undefined, namespaced: boolean): void {
  rules?.forEach((rule, i) => checkRule(errors, RULES.index(i), rule, namespaced));
}

function checkSubject(errors: Errors, path: FieldPath, subject: RbacV1Subject, namespaced: boolean): void {
  const name = subject.name ?? "", apiGroup = subject.apiGroup ?? "";
  if (name === "") errors.push(required(path.child("name")));
  switch (subject.kind) {
    case "ServiceAccount":
      if (name !== "") checkText(errors, path.child("name"), name, isDns1123Subdomain);
      if (apiGroup !== "") errors.push(notSupported(path.child("apiGroup"), apiGroup, [""]));
      if (!namespaced && (subject.namespace ?? "") === "") errors.push(required(path.child("namespace")));
      break;
    case "User": case "Group":
      if (name === "") errors.push(invalid(path.child("name"), name, `${subject.kind.toLowerCase()} name cannot be empty`));
      if (apiGroup !== GROUP) errors.push(notSupported(path.child("apiGroup"), apiGroup, [GROUP]));
      break;
    default: errors.push(notSupported(path.child("kind"), subject.kind ?? "", ["ServiceAccount", "User", "Group"]));
  }
}

export function checkBinding(errors: Errors, binding: RoleGrant, namespaced: boolean): void {
  const { apiGroup = "", kind = "", name = "" } = (binding.roleRef as Partial<RoleRef> | undefined) ?? {}, kinds = namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"];
  if (apiGroup !== GROUP) errors.push(notSupported(ROLE_REF.child("apiGroup"), apiGroup, [GROUP]));
  if (!kinds.includes(kind)) errors.push(notSupported(ROLE_REF.child("kind"), kind, kinds));
  if (name === "") errors.push(required(ROLE_REF.child("name")));
  else checkText(errors, ROLE_REF.child("name"), name, isPathSegmentName);
  binding.subjects?.forEach((subject, i) => checkSubject(errors, SUBJECTS.index(i), subject, namespaced));
}

export function checkRoleRefKept(errors: Errors, binding: RoleGrant, old: RoleGrant): void {
  const shown = ({ roleRef }: { roleRef?: Partial<RoleRef> }): object => ({ APIGroup: roleRef?.apiGroup ?? "", Kind: roleRef?.kind ?? "", Name: roleRef?.name ?? "" });
  if (!semanticEqual(shown(binding), shown(old))) errors.push(invalid(ROLE_REF, shown(binding), "cannot change roleRef"));
}

const subjectsCell = (kind: string) => ({ subjects }: RoleGrant): string =>
  (subjects ?? []).filter((subject) => subject.kind === kind).map((subject) => (kind === "ServiceAccount" ? `${subject.namespace ?? ""}/${subject.name}` : subject.name)).join(", ");

export const roleColumn: Column<RoleGrant> = column("Role", ({ roleRef }: RoleGrant) => `${roleRef.kind}/${roleRef.name}`, { description: "Whose rules are granted." });
export const subjectColumns: readonly Column<RoleGrant>[] = [
  column("Users", subjectsCell("User"), { wide: true, description: "Users in the roleBinding" }),
  column("Groups", subjectsCell("Group"), { wide: true, description: "Groups in the roleBinding" }),
  column("ServiceAccounts", subjectsCell("ServiceAccount"), { wide: true, description: "ServiceAccounts in the roleBinding" }),
];
