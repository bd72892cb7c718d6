/** Numbers of pods given as a count or a share. Counterpart: `ValidatePositiveIntOrPercent` and siblings in kubernetes `apis/apps/validation`. */
import { invalid } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import { NEGATIVE, type Errors } from "./checks.ts";
import { isValidPercent } from "./names.ts";

export type IntOrPercent = string | number;

/** `25%` or a count that is not negative. */
export function checkIntOrPercent(errors: Errors, path: FieldPath, value: IntOrPercent): void {
  if (typeof value === "string") for (const fault of isValidPercent(value)) errors.push(invalid(path, value, fault));
  else if (value < 0) errors.push(invalid(path, value, NEGATIVE));
}

/** The number before the percent sign, or the count itself. */
export const percentOrCount = (value: IntOrPercent): number => (typeof value === "number" ? value : /^[0-9]+%$/.test(value) ? Number(value.slice(0, -1)) : 0);

export function checkAtMost100Percent(errors: Errors, path: FieldPath, value: IntOrPercent): void {
  if (typeof value === "string" && percentOrCount(value) > 100) errors.push(invalid(path, value, "must not be greater than 100%"));
}
