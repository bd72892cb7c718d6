/**
 * Field errors: what validation finds, with upstream's words, so users see the messages they know.
 * Counterpart: apimachinery `util/validation/field`.
 */
import { StatusError, type StatusCause } from "./status-error.ts";

export type FieldErrorType = "FieldValueNotFound" | "FieldValueRequired" | "FieldValueDuplicate" | "FieldValueInvalid" | "FieldValueNotSupported" | "FieldValueForbidden" | "FieldValueTooLong" | "FieldValueTooMany" | "FieldValueTypeInvalid" | "InternalError";
export interface FieldError { readonly type: FieldErrorType; readonly field: string; /** The whole text after `field: `. */ readonly detail: string }

/** Go's `%#v`-like rendering upstream uses in messages: strings quoted, the rest as JSON. */
const show = (value: unknown): string => (value === undefined || value === null ? "null" : JSON.stringify(value));

export const required = (field: string, detail = ""): FieldError => ({ type: "FieldValueRequired", field, detail: detail === "" ? "Required value" : `Required value: ${detail}` });
export const invalid = (field: string, value: unknown, detail: string): FieldError => ({ type: "FieldValueInvalid", field, detail: `Invalid value: ${show(value)}: ${detail}` });
export const duplicate = (field: string, value: unknown): FieldError => ({ type: "FieldValueDuplicate", field, detail: `Duplicate value: ${show(value)}` });
export const notFoundValue = (field: string, value: unknown): FieldError => ({ type: "FieldValueNotFound", field, detail: `Not found: ${show(value)}` });
export const forbiddenField = (field: string, detail: string): FieldError => ({ type: "FieldValueForbidden", field, detail: `Forbidden: ${detail}` });
export const tooLong = (field: string, maxLength: number): FieldError => ({ type: "FieldValueTooLong", field, detail: `Too long: may not be more than ${maxLength} bytes` });
export const tooMany = (field: string, actual: number, max: number): FieldError => ({ type: "FieldValueTooMany", field, detail: `Too many: ${actual}: must have at most ${max} items` });
export const notSupported = (field: string, value: unknown, supported: readonly string[]): FieldError =>
  ({ type: "FieldValueNotSupported", field, detail: `Unsupported value: ${show(value)}: supported values: ${[...supported].sort().map((s) => JSON.stringify(s)).join(", ")}` });

/** The 422 answer for an object that failed validation. `kind` is e.g. "Pod". */
export function invalidError(group: string, kind: string, name: string, errors: readonly FieldError[]): StatusError {
  const texts = errors.map((e) => `${e.field}: ${e.detail}`);
  const list = texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
  const qualifiedKind = group === "" ? kind : `${kind}.${group}`;
  const causes: StatusCause[] = errors.map((e) => ({ reason: e.type, message: e.detail, field: e.field }));
  return new StatusError("Invalid", `${qualifiedKind} ${JSON.stringify(name)} is invalid: ${list}`, { details: { name, ...(group === "" ? {} : { group }), kind, causes } });
}
