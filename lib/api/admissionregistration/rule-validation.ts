/** Which requests webhooks and policies are for. Counterpart: `validateRule…` in kubernetes `apis/admissionregistration/validation`. */
import { duplicate, invalid, notSupported, required, tooMany } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { MatchCondition, RuleWithOperations } from "../schema/generated/models.ts";
import { checkLabelKey, checkOptionalOneOf, type Errors } from "../validation/checks.ts";

const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];
const CONDITIONS_MAX = 64;

export function checkRule(errors: Errors, path: FieldPath, rule: RuleWithOperations): void {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule;
  checkList(errors, path.child("operations"), operations, "operations");
  operations.forEach((operation, i) => { if (!OPERATIONS.includes(operation)) errors.push(notSupported(path.child("operations").index(i), operation, OPERATIONS)); });
  checkList(errors, path.child("apiGroups"), apiGroups, "API groups");
  checkList(errors, path.child("apiVersions"), apiVersions, "API versions");
  apiVersions.forEach((version, i) => { if (version === "") errors.push(required(path.child("apiVersions").index(i))); });
  checkResources(errors, path.child("resources"), resources);
  checkOptionalOneOf(errors, path.child("scope"), scope, SCOPES);
}

/** Something must be there, and `*` alone. */
function checkList(errors: Errors, path: FieldPath, items: readonly string[], noun: string): void {
  if (items.length === 0) errors.push(required(path));
  if (items.length > 1 && items.includes("*")) errors.push(invalid(path, items, `if '*' is present, must not specify other ${noun}`));
}

function checkResources(errors: Errors, path: FieldPath, resources: readonly string[]): void {
  const wholeResources = new Set<string>(), wholeSubresources = new Set<string>();
  let endsWithPlainResource = false;
  if (resources.length === 0) errors.push(required(path));
  resources.forEach((text, i) => {
    const slash = text.indexOf("/"), resource = text.slice(0, slash), subresource = text.slice(slash + 1);
    if (text === "") errors.push(required(path.index(i)));
    else if (slash < 0) endsWithPlainResource = text !== "*";
    else {
      if (wholeResources.has(resource)) errors.push(invalid(path.index(i), text, `if '${resource}/*' is present, must not specify ${text}`));
      if (wholeSubresources.has(subresource)) errors.push(invalid(path.index(i), text, `if '*/${subresource}' is present, must not specify ${text}`));
      if (subresource === "*") wholeResources.add(resource);
      if (resource === "*") wholeSubresources.add(subresource);
    }
  });
  if (resources.length > 1 && resources.includes("*/*")) errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  if (resources.includes("*") && endsWithPlainResource) errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"));
}

/** Expressions are kept as they are: nothing here reads CEL. */
export function checkMatchConditions(errors: Errors, path: FieldPath, conditions: readonly MatchCondition[]): void {
  const names = new Set<string>();
  if (conditions.length > CONDITIONS_MAX) errors.push(tooMany(path, conditions.length, CONDITIONS_MAX));
  conditions.forEach((condition, i) => {
    const name = condition.name ?? "", at = path.index(i).child("name");
    if ((condition.expression ?? "").trim() === "") errors.push(required(path.index(i).child("expression")));
    if (name === "") errors.push(required(at));
    else {
      checkLabelKey(errors, at, name);
      if (names.has(name)) errors.push(duplicate(at, name));
      names.add(name);
    }
  });
}
