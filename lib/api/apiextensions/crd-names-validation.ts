/** Names of custom resources, and the groups only an approved API may use. Counterpart: `ValidateCustomResourceDefinitionNames` in apiextensions `validation`. */
import { invalid, required } from "../field-error.ts";
import { METADATA, SPEC, type FieldPath } from "../field-path.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from "../schema/generated/models.ts";
import type { Errors } from "../validation/checks.ts";
import { isDns1035Label, isDns1123Subdomain } from "../validation/names.ts";

const APPROVED = "api-approved.kubernetes.io";

/** All faults of one name in one error, as upstream tells them here. */
function checkJoined(errors: Errors, path: FieldPath, value: string, intro = "", read: (value: string) => string = (text) => text): void {
  const faults = isDns1035Label(read(value));
  if (faults.length > 0) errors.push(invalid(path, value, `${intro}${faults.join(",")}`));
}

export function checkNames(errors: Errors, path: FieldPath, names: Partial<CustomResourceDefinitionNames>): void {
  const mixedCase = "may have mixed case, but should otherwise match: ", toLower = (text: string): string => text.toLowerCase();
  for (const field of ["plural", "singular"] as const) if ((names[field] ?? "") !== "") checkJoined(errors, path.child(field), names[field]!);
  for (const field of ["kind", "listKind"] as const) if ((names[field] ?? "") !== "") checkJoined(errors, path.child(field), names[field]!, mixedCase, toLower);
  names.shortNames?.forEach((name, i) => checkJoined(errors, path.child("shortNames").index(i), name));
  if ((names.kind ?? "") !== "" && names.kind === names.listKind) errors.push(invalid(path.child("listKind"), names.listKind, "kind and listKind may not be the same"));
  names.categories?.forEach((category, i) => checkJoined(errors, path.child("categories").index(i), category));
}

export function checkRequiredNames(errors: Errors, names: Partial<CustomResourceDefinitionNames>): void {
  for (const field of ["plural", "singular", "kind", "listKind"] as const) if ((names[field] ?? "") === "") errors.push(required(SPEC.child("names", field)));
}

/** The definition's own name is made of those of its resource. */
export function checkOwnName(errors: Errors, { metadata, spec }: CustomResourceDefinition): void {
  if (metadata.name !== `${spec?.names?.plural ?? ""}.${spec?.group ?? ""}`) errors.push(invalid(METADATA.child("name"), metadata.name ?? "", 'must be spec.names.plural+"."+spec.group'));
}

export function checkGroup(errors: Errors, group: string): void {
  const path = SPEC.child("group"), faults = isDns1123Subdomain(group);
  if (group === "") errors.push(required(path));
  else if (faults.length > 0) errors.push(invalid(path, group, faults.join(",")));
  else if (!group.includes(".")) errors.push(invalid(path, group, "should be a domain with at least one dot"));
}

/** Groups of Kubernetes itself need to say who approved them. */
export function checkApproval(errors: Errors, { metadata, spec }: CustomResourceDefinition): void {
  const group = spec?.group ?? "", value = metadata.annotations?.[APPROVED], path = METADATA.child("annotations").key(APPROVED);
  if (!/(^|\.)(k8s\.io|kubernetes\.io)$/.test(group)) return;
  if ((value ?? "") === "") errors.push(required(path, `protected groups must have approval annotation "${APPROVED}", see https://github.com/kubernetes/enhancements/pull/1111`));
  else if (!value!.startsWith("unapproved") && !URL.canParse(value!)) {
    errors.push(invalid(path, value, `protected groups must have approval annotation "${APPROVED}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`));
  }
}
