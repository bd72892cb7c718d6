/**
 * Small checks every kind's validation is made of. Each pushes what it finds; a good value allocates nothing.
 * Counterpart: the helpers at the top of kubernetes `apis/core/validation`.
 */
import { forbiddenField, invalid, notSupported, required, type FieldError } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { compareQuantity } from "../quantity.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { isDns1123Label, isDns1123Subdomain, isHttpPath, isLabelKey, isPathSegmentName, isValidPortName, isValidPortNum, type NameValidator } from "./names.ts";

export type Errors = FieldError[];

export const NEGATIVE = "must be greater than or equal to 0";
export const NOT_POSITIVE = "must be greater than zero";
export const IMMUTABLE = "field is immutable";
export const FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive";

/** One `Invalid` for each fault that `check` finds in a text; what is not there is the empty text, as in Go. */
export function checkText(errors: Errors, path: FieldPath, value: string | undefined, check: (value: string) => readonly string[]): void {
  for (const fault of check(value ?? "")) errors.push(invalid(path, value ?? "", fault));
}
export const checkDnsLabel = (errors: Errors, path: FieldPath, value: string | undefined): void => checkText(errors, path, value, isDns1123Label);
export const checkDnsSubdomain = (errors: Errors, path: FieldPath, value: string | undefined): void => checkText(errors, path, value, isDns1123Subdomain);
export const checkLabelKey = (errors: Errors, path: FieldPath, value: string | undefined): void => checkText(errors, path, value, isLabelKey);

export function checkName(errors: Errors, path: FieldPath, value: string, validate: NameValidator): void {
  for (const fault of validate(value, false)) errors.push(invalid(path, value, fault));
}

export function checkNonNegative(errors: Errors, path: FieldPath, value: number | undefined): void {
  if (value !== undefined && value < 0) errors.push(invalid(path, value, NEGATIVE));
}

/** A number or a name of a port. */
export function checkPortNumOrName(errors: Errors, path: FieldPath, port: string | number | undefined): void {
  const faults = typeof port === "string" ? isValidPortName(port) : isValidPortNum(port ?? 0);
  for (const fault of faults) errors.push(invalid(path, port ?? 0, fault));
}

export function checkPortNum(errors: Errors, path: FieldPath, port: number | undefined): void {
  for (const fault of isValidPortNum(port ?? 0)) errors.push(invalid(path, port ?? 0, fault));
}

/** Required and one of `supported`. */
export function checkOneOf(errors: Errors, path: FieldPath, value: string | undefined, supported: readonly string[]): void {
  if (value === undefined || value === "") errors.push(required(path));
  else if (!supported.includes(value)) errors.push(notSupported(path, value, supported));
}

/** One of `supported` when it is set at all. */
export function checkOptionalOneOf(errors: Errors, path: FieldPath, value: string | undefined, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) errors.push(notSupported(path, value, supported));
}

export function checkImmutable(errors: Errors, path: FieldPath, value: unknown, old: unknown): void {
  if (!semanticEqual(old, value)) errors.push(invalid(path, value, IMMUTABLE));
}

export function checkFileMode(errors: Errors, path: FieldPath, mode: number | undefined): void {
  if (mode !== undefined && (mode > 0o777 || mode < 0)) errors.push(invalid(path, mode, FILE_MODE));
}

export function checkNonNegativeQuantity(errors: Errors, path: FieldPath, value: string): void {
  if (compareQuantity(value, "0") < 0) errors.push(invalid(path, value, NEGATIVE));
}
export function checkPositiveQuantity(errors: Errors, path: FieldPath, value: string): void {
  if (compareQuantity(value, "0") <= 0) errors.push(invalid(path, value, NOT_POSITIVE));
}

/** A DNS subdomain, `/`, and a path: `acme.io/foo`. */
export function checkDomainPrefixedPath(errors: Errors, path: FieldPath, value: string): void {
  const slash = value.indexOf("/");
  if (value === "") errors.push(required(path));
  else if (slash < 1 || slash === value.length - 1) errors.push(invalid(path, value, "must be a domain-prefixed path (such as \"acme.io/foo\")"));
  else {
    checkText(errors, path, value.slice(0, slash), isDns1123Subdomain);
    checkText(errors, path, value.slice(slash + 1), isHttpPath);
  }
}

/** The name of an object another kind refers to, which must be there. */
export function checkReferenceName(errors: Errors, path: FieldPath, value: string | undefined): void {
  if (value === undefined || value === "") errors.push(required(path));
  else checkText(errors, path, value, isPathSegmentName);
}

/** A path without `..` elements. */
export function checkNoBacksteps(errors: Errors, path: FieldPath, value: string): void {
  if (value.includes("..") && value.split("/").includes("..")) errors.push(invalid(path, value, "must not contain '..'"));
}
/** A relative path without `..` elements. */
export function checkLocalDescendingPath(errors: Errors, path: FieldPath, value: string): void {
  if (value.startsWith("/")) errors.push(invalid(path, value, "must be a relative path"));
  checkNoBacksteps(errors, path, value);
}
/** As above, and no name that starts with `..`. */
export function checkLocalNonReservedPath(errors: Errors, path: FieldPath, value: string): void {
  checkLocalDescendingPath(errors, path, value);
  if (value.startsWith("..") && !value.startsWith("../")) errors.push(invalid(path, value, "must not start with '..'"));
}

/** Forbids the fields of `value` that are set and not in `allowed`. */
export function checkAllowedFields(errors: Errors, path: FieldPath, value: object, allowed: ReadonlySet<string>, detail: string): void {
  for (const [name, field] of Object.entries(value)) {
    if (!allowed.has(name) && !isUnset(field)) errors.push(forbiddenField(path.child(name), detail));
  }
}
function isUnset(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
