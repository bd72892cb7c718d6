/**
 * What a create owns, remembered by the object's outline: objects made from one template (a set's pods, Events) own the same fields, and
 * finding those out costs more than anything else of a create.
 *
 * Promises: the same set as comparing with nothing, whatever was remembered; bounded; sets are frozen and shared.
 */
import { EMPTY_SET, type FieldSet } from "./field-set.ts";
import { itemElement, shapeOf, type Shape } from "./shape.ts";
import type { WrittenPart } from "./reset-fields.ts";

/** Beyond this the memory is dropped and begun anew. */
const PLACES_MAX = 30_000;
/** Outlines longer than this are of objects of which there is only one. */
const STEPS_MAX = 1_000;

/** A step of an outline. Symbols are the ends of what has many parts, so that no key looks like one. */
type Token = string | symbol;
const END = Symbol("end");

/** Outlines that begin alike share their beginnings. Most places go on in one way only, which costs no map. */
class Place {
  #token: Token | undefined;
  #next: Place | undefined;
  #others: Map<Token, Place> | undefined;
  /** Of the outline that ends here. */
  found: FieldSet | undefined;

  /** The place behind `token`, made when it is new. */
  step(token: Token): Place {
    if (this.#token === token) return this.#next!;
    const known = this.#others?.get(token);
    if (known !== undefined) return known;
    const place = new Place();
    places++;
    if (this.#token === undefined) {
      this.#token = token;
      this.#next = place;
    } else (this.#others ??= new Map()).set(token, place);
    return place;
  }
}
let places = 0, root = new Place();
/** Steps the outline at work may still take. */
let stepsLeft = 0;

/** Scalars of which Go leaves out the first kind, and which are as if unset. */
const scalarToken = (value: unknown): string => (value === "" || value === 0 || value === false ? "zero" : value === "0" ? "no quantity" : typeof value === "object" ? `=${JSON.stringify(value)}` : "set");

/** Goes through everything that the fields of a value follow from: all but the scalars in it, keys of items, and their order. undefined: the outline is too long. Throws ItemError. */
function follow(place: Place | undefined, shape: Shape, value: unknown): Place | undefined {
  if (place === undefined || --stepsLeft < 0) return undefined;
  if (value === null || value === undefined) return place.step("absent");
  if (shape.kind === "scalar") return place.step(scalarToken(value));
  if (shape.kind === "any" || typeof value !== "object") return place.step(`=${JSON.stringify(value)}`);
  if (shape.kind === "list") return followList(place, shape, value);
  let at: Place | undefined = place.step("{");
  if (shape.kind === "map") {
    const item = shape.item();
    for (const key in value) at = follow(at?.step(key), item, (value as Record<string, unknown>)[key]);
  } else {
    for (const name in value) {
      const field = shape.byName.get(name), one = (value as Record<string, unknown>)[name];
      if (field !== undefined && one !== undefined) at = follow(at?.step(name), field.shape(), one);
    }
  }
  return at?.step(END);
}

function followList(place: Place, shape: Shape & { kind: "list" }, value: object): Place | undefined {
  if (!Array.isArray(value)) return place.step(`=${JSON.stringify(value)}`);
  if (value.length === 0) return place.step("[]");
  if (shape.relation === "atomic") return place.step("atomic");
  const item = shape.item();
  let at: Place | undefined = place.step("[");
  for (let i = 0; i < value.length; i++) at = follow(at?.step(itemElement(shape, value[i], i)), item, value[i]);
  return at?.step(END);
}

function freeze(set: FieldSet): FieldSet {
  for (const element in set) if (set[element] !== EMPTY_SET) freeze(set[element]!);
  return Object.freeze(set);
}
const texts = new WeakMap<FieldSet, string>();

/** What a new object (decoded) of `model` owns; `find` tells where nothing is remembered. Throws ItemError. */
export function createdFields(part: WrittenPart & { readonly model: string; readonly apiVersion: string }, object: object, find: () => FieldSet): FieldSet {
  if (places > PLACES_MAX) { root = new Place(); places = 0; }
  stepsLeft = STEPS_MAX;
  const start = root.step(part.model).step(part.apiVersion).step(part.resource ?? "").step(part.subresource).step(part.hasStatus ? "status" : "no status");
  const end = follow(start, shapeOf(part.model), object);
  if (end?.found !== undefined) return end.found;
  const found = find();
  if (end === undefined || found === EMPTY_SET) return found;
  end.found = freeze(found);
  texts.set(found, JSON.stringify(found));
  return found;
}

/** The JSON text of a set; kept where the set is remembered. */
export const fieldsText = (set: object): string => texts.get(set as FieldSet) ?? JSON.stringify(set);
