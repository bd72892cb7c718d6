/**
 * Path elements as they are written in FieldsV1: `f:name`, `k:{"name":"web"}`, `v:"a"`, `i:0`.
 * Counterpart: structured-merge-diff `fieldpath`.
 */
import { goPrint, isMap, type JsonMap } from "../patch/json-value.ts";

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;
export const indexElement = (index: number): string => `i:${index}`;
/** `keys` must be in alphabetical order. */
export const keyElement = (keys: JsonMap): string => `k:${JSON.stringify(keys)}`;

const KINDS = "fkvi";
const read = (element: string): unknown => { try { return JSON.parse(element.slice(2)) as unknown; } catch { return element.slice(2); } };
/** Whether a text is a path element: of a kind there is, and with a value that can be read. */
export function isElement(text: string): boolean {
  if (text[1] !== ":") return false;
  if (text[0] === "f") return true;
  if (text[0] === "i") return /^-?\d+$/.test(text.slice(2));
  if (text[0] !== "k" && text[0] !== "v") return false;
  try {
    const value: unknown = JSON.parse(text.slice(2));
    return text[0] === "v" || isMap(value);
  }
  catch { return false; }
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function compareValues(a: unknown, b: unknown): number {
  const rank = (value: unknown): number => ["number", "string", "boolean"].indexOf(typeof value) + 1;
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return byText(a, b);
  return rank(a) - rank(b) || byText(JSON.stringify(a) ?? "", JSON.stringify(b) ?? "");
}

function compareKeys(a: unknown, b: unknown): number {
  if (a === b) return 0;
  const left = Object.entries(isMap(a) ? a : {}), right = Object.entries(isMap(b) ? b : {});
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = byText(left[i]![0], right[i]![0]) || compareValues(left[i]![1], right[i]![1]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

interface Read { readonly element: string; readonly value: unknown }
const readOnce = (element: string): Read => ({ element, value: element.startsWith("k") || element.startsWith("v") ? read(element) : undefined });

function compareElements({ element: a, value: left }: Read, { element: b, value: right }: Read): number {
  if (a[0] !== b[0]) return KINDS.indexOf(a[0]!) - KINDS.indexOf(b[0]!);
  if (a.startsWith("f")) return byText(a, b);
  if (a.startsWith("k")) return compareKeys(left, right);
  return a.startsWith("v") ? compareValues(left, right) : Number(a.slice(2)) - Number(b.slice(2));
}

/**
 * In upstream's order: fields, keys, values, indexes; each kind by its content. The same list when it is in order already.
 * Each element is read once, not once a comparison: lists of thousands of items are no rarity.
 */
export function sortElements(elements: string[]): string[] {
  const all = elements.map(readOnce);
  for (let i = 1; i < all.length; i++) if (compareElements(all[i - 1]!, all[i]!) > 0) return all.sort(compareElements).map(({ element }) => element);
  return elements;
}

const printValue = (value: unknown): string => (typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : goPrint(value));

/** For people: `.name`, `[name="web"]`, `[="a"]`, `[0]`. */
export function printElement(element: string): string {
  const content = element.slice(2);
  if (element.startsWith("f")) return `.${content}`;
  if (element.startsWith("k")) return `[${Object.entries(read(element) as JsonMap).map(([name, value]) => `${name}=${printValue(value)}`).join(",")}]`;
  return element.startsWith("v") ? `[=${printValue(read(element))}]` : `[${content}]`;
}

export const printPath = (path: readonly string[]): string => path.map(printElement).join("");
