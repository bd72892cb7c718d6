/**
 * What a create owns, remembered by the object's outline: objects made from one template (a set's pods, Events) own the same fields, and
 * finding those out costs more than anything else of a create.
 *
 * Promises: the same set as comparing with nothing, whatever was remembered; bounded; sets are frozen and shared.
 */
import { EMPTY_SET, type FieldSet } from "./field-set.ts";
import { itemElement, shapeOf, type Shape } from "./shape.ts";
import type { WrittenPart } from "./reset-fields.ts";

const REMEMBERED_MAX = 500;
/** Outlines beyond this are of objects of which there is only one. */
const OUTLINE_MAX = 16_384;

/** Scalars of which Go leaves out the first kind, and which are as if unset. */
const scalarOutline = (value: unknown): string => (value === "" || value === 0 || value === false ? "z" : value === "0" ? "q" : typeof value === "object" ? `?${JSON.stringify(value)}` : "1");

/** A text of everything that the fields of a value follow from: all but the scalars in it, keys of items, and their order. Throws ItemError. */
export function outline(shape: Shape, value: unknown): string {
  if (value === null || value === undefined) return "n";
  if (shape.kind === "scalar") return scalarOutline(value);
  if (shape.kind === "any" || typeof value !== "object") return `?${JSON.stringify(value)}`;
  if (shape.kind === "list") {
    if (!Array.isArray(value)) return `?${JSON.stringify(value)}`;
    if (value.length === 0 || shape.relation === "atomic") return value.length === 0 ? "[]" : "A";
    const inner = shape.item();
    let text = "[";
    for (let i = 0; i < value.length; i++) text += `${itemElement(shape, value[i], i)}${outline(inner, value[i])};`;
    return `${text}]`;
  }
  let text = "{";
  if (shape.kind === "map") {
    const item = shape.item();
    for (const key in value) text += `${key.length}:${key}${outline(item, (value as Record<string, unknown>)[key])};`;
  } else {
    for (const name in value) {
      const field = shape.byName.get(name), one = (value as Record<string, unknown>)[name];
      if (field !== undefined && one !== undefined) text += `${name}:${outline(field.shape(), one)};`;
    }
  }
  return `${text}}`;
}

const remembered = new Map<string, FieldSet>();
const texts = new WeakMap<FieldSet, string>();

function freeze(set: FieldSet): FieldSet {
  for (const element in set) if (set[element] !== EMPTY_SET) freeze(set[element]!);
  return Object.freeze(set);
}

/** What a new object (decoded) of `model` owns; `find` tells where nothing is remembered. Throws ItemError. */
export function createdFields(part: WrittenPart & { readonly model: string; readonly apiVersion: string }, object: object, find: () => FieldSet): FieldSet {
  const key = `${part.model} ${part.apiVersion} ${part.resource ?? ""}/${part.subresource} ${part.hasStatus} ${outline(shapeOf(part.model), object)}`;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const found = find();
  if (key.length > OUTLINE_MAX || found === EMPTY_SET) return found;
  if (remembered.size >= REMEMBERED_MAX) for (const oldest of remembered.keys()) { remembered.delete(oldest); break; }
  remembered.set(key, freeze(found));
  texts.set(found, JSON.stringify(found));
  return found;
}

/** The JSON text of a set; kept where the set is remembered. */
export const fieldsText = (set: object): string => texts.get(set as FieldSet) ?? JSON.stringify(set);
