/**
 * Field errors: what validation finds, with upstream's words, so users see the messages they know.
 * Counterpart: apimachinery `util/validation/field`.
 */
import type { FieldPath } from "./field-path.ts";
import { StatusError, type StatusCause } from "./status-error.ts";

export type FieldErrorType = "FieldValueNotFound" | "FieldValueRequired" | "FieldValueDuplicate" | "FieldValueInvalid" | "FieldValueNotSupported" | "FieldValueForbidden"
  | "FieldValueTooLong" | "FieldValueTooShort" | "FieldValueTooMany" | "FieldValueTooFew" | "FieldValueTypeInvalid" | "InternalError";
export interface FieldError { readonly type: FieldErrorType; readonly field: string; /** The whole text after `field: `. */ readonly detail: string }

/** A place: its text, or the path that makes it. */
export type Place = FieldPath | string;

/** Values as upstream shows them: strings quoted, the rest as Go's JSON (which escapes `<`, `>` and `&`). */
function show(value: unknown): string {
  if (value === undefined || value === null) return "null";
  const text = JSON.stringify(value);
  return typeof value === "string" ? text : text.replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`);
}
const make = (type: FieldErrorType, field: Place, detail: string): FieldError => ({ type, field: String(field), detail });
const withMore = (text: string, more: string): string => (more === "" ? text : `${text}: ${more}`);
const plural = (count: number, noun: string): string => (count === 1 ? noun : `${noun}s`);

export const required = (field: Place, detail = ""): FieldError => make("FieldValueRequired", field, withMore("Required value", detail));
export const invalid = (field: Place, value: unknown, detail: string): FieldError => make("FieldValueInvalid", field, withMore(`Invalid value: ${show(value)}`, detail));
/** For values too big to show. */
export const invalidUnshown = (field: Place, detail: string): FieldError => make("FieldValueInvalid", field, `Invalid value: ${detail}`);
export const typeInvalid = (field: Place, value: unknown, detail: string): FieldError => make("FieldValueTypeInvalid", field, withMore(`Invalid value: ${show(value)}`, detail));
export const duplicate = (field: Place, value: unknown, detail = ""): FieldError => make("FieldValueDuplicate", field, withMore(`Duplicate value: ${show(value)}`, detail));
export const notFoundValue = (field: Place, value: unknown, detail = ""): FieldError => make("FieldValueNotFound", field, withMore(`Not found: ${show(value)}`, detail));
export const forbiddenField = (field: Place, detail: string): FieldError => make("FieldValueForbidden", field, withMore("Forbidden", detail));
export const internalFieldError = (field: Place, detail: string): FieldError => make("InternalError", field, withMore("Internal error", detail));
export const tooLong = (field: Place, maxLength: number): FieldError => make("FieldValueTooLong", field, `Too long: may not be more than ${maxLength} ${plural(maxLength, "byte")}`);
export const tooLongCharacters = (field: Place, maxLength: number): FieldError => make("FieldValueTooLong", field, `Too long: may not be more than ${maxLength} ${plural(maxLength, "character")}`);
export const tooMany = (field: Place, actual: number, max: number): FieldError => make("FieldValueTooMany", field, `Too many: ${actual}: must have at most ${max} ${plural(max, "item")}`);
export const tooFew = (field: Place, actual: number, min: number): FieldError => make("FieldValueTooFew", field, `Too few: ${actual}: must have at least ${min} ${plural(min, "item")}`);
/** `supported` is shown in the order given. */
export const notSupported = (field: Place, value: unknown, supported: readonly string[]): FieldError =>
  make("FieldValueNotSupported", field, withMore(`Unsupported value: ${show(value)}`, supported.length === 0 ? "" : `supported values: ${supported.map((s) => JSON.stringify(s)).join(", ")}`));

/** The 422 answer for an object that failed validation. `kind` is e.g. "Pod". Equal texts are told once, every cause is kept. */
export function invalidError(group: string, kind: string, name: string, errors: readonly FieldError[]): StatusError {
  const texts = [...new Set(errors.map((e) => `${e.field}: ${e.detail}`))];
  const list = texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`;
  const qualifiedKind = group === "" ? kind : `${kind}.${group}`;
  const causes: StatusCause[] = errors.map((e) => ({ reason: e.type, message: e.detail, field: e.field }));
  return new StatusError("Invalid", `${qualifiedKind} ${JSON.stringify(name)} is invalid: ${list}`, { details: { name, ...(group === "" ? {} : { group }), kind, causes } });
}
