/** Small things about plain JSON values that the patches share. */
import { setOwn } from "../decode/json-node.ts";

export type JsonMap = Record<string, unknown>;

const isRawNumber = (value: unknown): boolean => (JSON as unknown as { isRawJSON(value: unknown): boolean }).isRawJSON(value);

/** Whether a value is a JSON object; numbers kept as raw digits are not. */
export const isMap = (value: unknown): value is JsonMap => typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);

export const isList = (value: unknown): value is unknown[] => Array.isArray(value);

/** The own property `key`. */
export const getOwn = (map: JsonMap, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);

/** A copy that shares nothing. */
export function cloneJson<T>(value: T): T {
  if (isList(value)) return value.map(cloneJson) as T;
  if (!isMap(value)) return value;
  const copy: JsonMap = {};
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson(value[key]));
  return copy as T;
}

/** Whether two JSON values are the same; the order of keys does not count. */
export function jsonEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object") return false;
  if (isList(a) && isList(b)) {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) if (!jsonEqual(a[i], b[i])) return false;
    return true;
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return false;
    for (const key of keys) if (!Object.hasOwn(b, key) || !jsonEqual(a[key], b[key])) return false;
    return true;
  }
  return isRawNumber(a) && isRawNumber(b) && JSON.stringify(a) === JSON.stringify(b);
}

/** Go's `%v` of a value read without types: `map[a:1 b:[x y]]`. */
export function goPrint(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (isList(value)) return `[${value.map(goPrint).join(" ")}]`;
  if (isMap(value)) return `map[${Object.keys(value).sort().map((key) => `${key}:${goPrint(value[key])}`).join(" ")}]`;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Go's name for the type of such a value. */
export function goTypeName(value: unknown): string {
  if (value === null || value === undefined) return "%!s(<nil>)";
  if (isList(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : typeof value === "number" && !Number.isInteger(value) ? "float64" : "int64";
}
