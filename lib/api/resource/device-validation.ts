/** What claims, classes and slices of devices share: names, selectors, configuration, taints. Counterpart: kubernetes `apis/resource/validation`. */
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { checkCsiDriverName } from "../core/volume-source-validation.ts";
import type { DeviceSelector, DeviceTaint, DeviceToleration, OpaqueDeviceConfiguration } from "../schema/generated/models.ts";
import { checkLabelKey, checkOptionalOneOf, checkText, type Errors } from "../validation/checks.ts";
import { DNS_SUBDOMAIN_MAX, byteLength, isCIdentifier, isDns1123Subdomain, isLabelValue } from "../validation/names.ts";

export const LIST_MAX = 32;
const EXPRESSION_BYTES_MAX = 10 * 1024, PARAMETERS_BYTES_MAX = 10 * 1024, IDENTIFIER_MAX = 32;
const TAINT_EFFECTS = ["NoExecute", "NoSchedule", "None"];

/** Each item, unless there are too many; `key` says what may be there once. */
export function checkItems<T>(errors: Errors, path: FieldPath, items: readonly T[] | undefined, max: number, check: (item: T, path: FieldPath) => void, key?: (item: T) => string): void {
  if (items === undefined) return;
  if (items.length > max) {
    errors.push(tooMany(path, items.length, max));
    return;
  }
  items.forEach((item, i) => check(item, path.index(i)));
  if (key === undefined) return;
  const seen = new Set<string>();
  items.forEach((item, i) => {
    if (seen.has(key(item))) errors.push(duplicate(path.index(i), key(item)));
    seen.add(key(item));
  });
}

/** Expressions are kept as they are: nothing here reads CEL. */
export function checkSelectors(errors: Errors, path: FieldPath, selectors: readonly DeviceSelector[] | undefined): void {
  checkItems(errors, path, selectors, LIST_MAX, ({ cel }, at) => {
    if (cel === undefined) errors.push(required(at.child("cel")));
    else if (byteLength(cel.expression ?? "") > EXPRESSION_BYTES_MAX) errors.push(tooLong(at.child("cel", "expression"), EXPRESSION_BYTES_MAX));
  });
}

export function checkConfiguration(errors: Errors, path: FieldPath, opaque: OpaqueDeviceConfiguration | undefined): void {
  if (opaque === undefined) {
    errors.push(required(path.child("opaque")));
    return;
  }
  const { parameters } = opaque, at = path.child("opaque", "parameters");
  checkCsiDriverName(errors, path.child("opaque", "driver"), opaque.driver ?? "");
  if (parameters === undefined || parameters === null) errors.push(required(at));
  else if (byteLength(JSON.stringify(parameters)) > PARAMETERS_BYTES_MAX) errors.push(tooLong(at, PARAMETERS_BYTES_MAX));
  else if (typeof parameters !== "object" || Array.isArray(parameters)) errors.push(invalid(at, "<value omitted>", "must be a valid JSON object"));
}

export function checkPoolName(errors: Errors, path: FieldPath, name: string): void {
  if (name === "") errors.push(required(path));
  if (byteLength(name) > DNS_SUBDOMAIN_MAX) errors.push(tooLong(path, DNS_SUBDOMAIN_MAX));
  if (name !== "") for (const part of name.split("/")) checkText(errors, path, part, isDns1123Subdomain);
}

/** An identifier, or one with the domain of whoever defined it: `gpu.example.com/memory`. */
export function checkQualifiedName(errors: Errors, path: FieldPath, name: string, options: { full?: boolean } = {}): void {
  const parts = name.split("/"), domain = parts.length === 2 ? parts[0]! : undefined, id = parts.length === 2 ? parts[1]! : name;
  if (domain === "") errors.push(invalid(path, "", "the domain must not be empty"));
  else if (domain !== undefined) checkCsiDriverName(errors, path, domain);
  if (domain !== undefined && id === "") errors.push(invalid(path, "", "the name must not be empty"));
  else if (parts.length <= 2) {
    if (byteLength(id) > IDENTIFIER_MAX) errors.push(tooLong(path, IDENTIFIER_MAX));
    checkText(errors, path, id, isCIdentifier);
  }
  if (options.full === true && parts.length === 1) errors.push(invalid(path, name, "a fully qualified name must be a domain and a name separated by a slash"));
}

export function checkTaint(errors: Errors, path: FieldPath, taint: DeviceTaint): void {
  checkLabelKey(errors, path.child("key"), taint.key ?? "");
  if ((taint.value ?? "") !== "") checkText(errors, path.child("value"), taint.value!, isLabelValue);
  if ((taint.effect ?? "") === "") errors.push(required(path.child("effect")));
  else checkOptionalOneOf(errors, path.child("effect"), taint.effect, TAINT_EFFECTS);
}

export function checkToleration(errors: Errors, path: FieldPath, { key = "", operator = "", value = "", effect = "" }: DeviceToleration): void {
  if (key !== "") checkLabelKey(errors, path.child("key"), key);
  if (operator === "Exists") {
    if (value !== "") errors.push(invalid(path.child("value"), value, "must be empty for operator `Exists`"));
  } else if (operator === "Equal") checkText(errors, path.child("value"), value, isLabelValue);
  else errors.push(operator === "" ? required(path.child("operator")) : notSupported(path.child("operator"), operator, ["Equal", "Exists"]));
  if (effect !== "") checkOptionalOneOf(errors, path.child("effect"), effect, TAINT_EFFECTS);
}

/** Of these fields exactly one is set; the value shown lists those that are. */
export function checkOneSet(errors: Errors, path: FieldPath, set: readonly string[], none: string, many: string): void {
  if (set.length === 0) errors.push(required(path, none));
  else if (set.length > 1) errors.push(invalid(path, `{${set.map((field) => `\`${field}\``).join(", ")}}`, many));
}

/** A switch that is either not there or on. */
export function checkOn(errors: Errors, path: FieldPath, value: boolean | undefined): boolean {
  if (value === false) errors.push(invalid(path, value, "must be either unset or set to true"));
  return value === true;
}
