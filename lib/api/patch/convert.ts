/**
 * What is wrong with a strategically patched object, in the words of upstream's converter from untyped maps (which is
 * not its JSON decoder, and speaks differently). Only asked when something is wrong.
 * Counterpart: apimachinery `runtime.DefaultUnstructuredConverter`.
 */
import { decodeBare } from "../decode/decode.ts";
import { modelOf, type FieldType, type Scalar } from "../schema/schema.ts";
import { getOwn, goTypeName, isList, isMap } from "./json-value.ts";

const KINDS: Partial<Record<Scalar, string>> = { string: "string", boolean: "bool", int32: "int32", int64: "int64", double: "float64" };

/** Go's kind of a value read without types. */
function kindOf(value: unknown): string {
  if (isList(value)) return "slice";
  return isMap(value) ? "map" : goTypeName(value);
}

function scalarError(value: unknown, scalar: Scalar, goType: string): string | undefined {
  const wanted = KINDS[scalar], actual = kindOf(value);
  if (wanted === undefined) return undefined; // Reads itself: its own decoder finds the error.
  const isNumber = actual === "int64" || actual === "float64";
  if (wanted === "string" || wanted === "bool") {
    if (actual === wanted) return undefined;
    return wanted === "string" && actual === "int64" ? `cannot convert int64 to ${goType}` : `unrecognized type: ${wanted}`;
  }
  if (!isNumber) return `unrecognized type: ${wanted}`;
  const whole = actual === "int64", fits = wanted !== "int32" || (typeof value === "number" && value >= -(2 ** 31) && value < 2 ** 31);
  return wanted === "float64" || (whole && fits) ? undefined : `cannot convert ${actual} to ${goType}`;
}

/** The first error in Go's order of fields, or undefined. */
function typeError(value: unknown, type: FieldType): string | undefined {
  if (value === null || value === undefined) return undefined;
  switch (type.kind) {
    case "scalar": return scalarError(value, type.scalar, type.goType);
    case "list":
      if (!isList(value)) return `cannot restore slice from ${kindOf(value)}`;
      return firstOf(value, (item) => typeError(item, type.item));
    case "map":
      if (!isMap(value)) return `cannot restore map from ${kindOf(value)}`;
      return firstOf(Object.values(value), (item) => typeError(item, type.value));
    case "model":
      if (!isMap(value)) return `cannot restore struct from: ${kindOf(value)}`;
      return firstOf(modelOf(type.model).fields, (field) => typeError(getOwn(value, field.name), field.type));
  }
}

function firstOf<T>(items: readonly T[], check: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const error = check(item);
    if (error !== undefined) return error;
  }
  return undefined;
}

/** Decodes a patched object. `error` is what upstream's converter would say of a wrong value; unknown fields come sorted. */
export function convertPatched(model: string, value: unknown): { object: Record<string, unknown>; strictErrors: readonly string[] } | { error: string } {
  try {
    const { object, strictErrors } = decodeBare(model, value);
    return { object, strictErrors: strictErrors.toSorted() };
  } catch (error) {
    return { error: typeError(value, { kind: "model", model, goType: model }) ?? (error as Error).message };
  }
}
