/** What makes an applied configuration unfit for its schema, in upstream's words. Counterpart: structured-merge-diff `typed.Validate`. */
import { isList, isMap } from "../patch/json-value.ts";
import { fieldElement, printElement } from "./path-element.ts";
import { entryShape, ItemError, itemElement, resolveShape, type ListShape, type MapShape, type ScalarShape, type Shape, type StructShape } from "./shape.ts";

const GO_NAMES: Record<string, string> = { string: "string", boolean: "bool" };
const goType = (value: unknown): string => {
  if (isList(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  return GO_NAMES[typeof value] ?? (Number.isInteger(value) ? "int64" : "float64");
};
const show = (value: unknown): string => `&{${JSON.stringify(value)}}`;

function checkScalar(shape: ScalarShape, value: unknown): string[] {
  const type = typeof value;
  if (shape.accepts === "numeric") return type === "number" ? [] : [`expected numeric (int or float), got ${goType(value)}`];
  if (shape.accepts === "untyped") return type === "number" || type === "string" || type === "boolean" ? [] : [`expected any scalar, got ${show(value)}`];
  return type === shape.accepts ? [] : [`expected ${shape.accepts}, got ${show(value)}`];
}

const prefixed = (errors: readonly string[], element: string): string[] =>
  errors.map((error) => (/^[.[]/.test(error) ? `${printElement(element)}${error}` : `${printElement(element)}: ${error}`));

function checkList(shape: ListShape, value: unknown): string[] {
  if (!isList(value)) return [`expected list, got ${show(value)}`];
  const errors: string[] = [], seen = new Set<string>(), inner = shape.item();
  for (const [i, item] of value.entries()) {
    let element: string;
    try { element = itemElement(shape, item, i); }
    catch (error) {
      if (!(error instanceof ItemError)) throw error;
      return [...errors, `element ${i}: ${error.message}`];
    }
    if (seen.has(element)) errors.push(`duplicate entries for key ${printElement(element)}`);
    seen.add(element);
    errors.push(...prefixed(check(inner, item), element));
  }
  return errors;
}

function checkMap(shape: StructShape | MapShape, value: unknown): string[] {
  if (!isMap(value)) return [`expected map, got ${show(value)}`];
  const errors: string[] = [];
  for (const key of Object.keys(value)) {
    const inner = entryShape(shape, key), element = fieldElement(key);
    errors.push(...prefixed(inner === undefined ? ["field not declared in schema"] : check(inner, value[key]), element));
  }
  return errors;
}

function check(shape: Shape, value: unknown): string[] {
  if (value === null) return [];
  const known = resolveShape(shape, value);
  if (known.kind === "scalar") return checkScalar(known, value);
  return known.kind === "list" ? checkList(known, value) : checkMap(known, value);
}

/** Upstream's text for what is wrong, undefined when nothing is. */
export function appliedErrors(shape: StructShape, applied: unknown): string | undefined {
  const errors = check(shape, applied);
  if (errors.length <= 1) return errors[0];
  return `errors:\n${errors.map((error) => `  ${error}`).join("\n")}`;
}
