/**
 * How values are owned and merged, by the schema: what is one piece (a scalar, anything atomic), what is a struct, a map,
 * a list told apart by keys or values.
 * Counterpart: structured-merge-diff `schema`, as built from OpenAPI.
 */
import { isList, isMap, type JsonMap } from "../patch/json-value.ts";
import { modelOf, type Field, type FieldType, type Scalar } from "../schema/schema.ts";
import { fieldElement, indexElement, keyElement, valueElement } from "./path-element.ts";

export interface StructField { readonly name: string; readonly element: string; readonly shape: () => Shape; readonly default: unknown }
export interface StructShape { readonly kind: "struct"; readonly atomic: boolean; /** By name. */ readonly fields: readonly StructField[]; readonly byName: ReadonlyMap<string, StructField> }
export interface MapShape { readonly kind: "map"; readonly atomic: boolean; readonly item: () => Shape }
export interface ListShape { readonly kind: "list"; readonly relation: "atomic" | "map" | "set"; /** In alphabetical order. */ readonly keys: readonly string[]; readonly item: () => Shape }
export interface ScalarShape { readonly kind: "scalar"; readonly accepts: "string" | "numeric" | "boolean" | "untyped" }
/** A value whose shape only it can tell. */
export interface AnyShape { readonly kind: "any" }
export type Shape = StructShape | MapShape | ListShape | ScalarShape | AnyShape;
export type KnownShape = Exclude<Shape, AnyShape>;

const ANY: Shape = { kind: "any" };
const ANY_MAP: MapShape = { kind: "map", atomic: false, item: () => ANY };
const ANY_LIST: ListShape = { kind: "list", relation: "atomic", keys: [], item: () => ANY };
const UNTYPED: ScalarShape = { kind: "scalar", accepts: "untyped" };
const EMPTY_STRUCT: StructShape = { kind: "struct", atomic: false, fields: [], byName: new Map() };

const SCALARS: Partial<Record<Scalar, Shape>> = {
  boolean: { kind: "scalar", accepts: "boolean" }, int32: { kind: "scalar", accepts: "numeric" }, int64: { kind: "scalar", accepts: "numeric" }, double: { kind: "scalar", accepts: "numeric" },
  Quantity: UNTYPED, IntOrString: UNTYPED, Time: UNTYPED, MicroTime: UNTYPED, RawExtension: ANY_MAP, FieldsV1: ANY_MAP, JSON: ANY, Empty: EMPTY_STRUCT,
  JSONSchemaPropsOrBool: ANY, JSONSchemaPropsOrArray: ANY, JSONSchemaPropsOrStringArray: ANY,
};
const STRING: Shape = { kind: "scalar", accepts: "string" };

function lazily(make: () => Shape): () => Shape {
  let shape: Shape | undefined;
  return () => (shape ??= make());
}

function typeShape(type: FieldType, field: Field | undefined): Shape {
  switch (type.kind) {
    case "scalar": return SCALARS[type.scalar] ?? STRING;
    case "model": {
      const shape = shapeOf(type.model);
      return field?.atomic === true ? { ...shape, atomic: true } : shape;
    }
    case "map": return { kind: "map", atomic: field?.atomic === true, item: lazily(() => typeShape(type.value, undefined)) };
    case "list": {
      const relation = field?.listType ?? "atomic";
      return { kind: "list", relation, keys: (field?.listMapKeys ?? []).toSorted(), item: lazily(() => typeShape(type.item, undefined)) };
    }
  }
}

const structs = new Map<string, StructShape>();

/** The shape of a model. */
export function shapeOf(name: string): StructShape {
  const known = structs.get(name);
  if (known !== undefined) return known;
  const model = modelOf(name);
  const fields = model.fields.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map((field): StructField =>
    ({ name: field.name, element: fieldElement(field.name), shape: lazily(() => typeShape(field.type, field)), default: field.default }));
  const shape: StructShape = { kind: "struct", atomic: model.atomic, fields, byName: new Map(fields.map((field) => [field.name, field])) };
  structs.set(name, shape);
  return shape;
}

/** What a value of unknown shape turns out to be; others stay what they are. */
export function resolveShape(shape: Shape, value: unknown): KnownShape {
  if (shape.kind !== "any") return shape;
  if (isList(value)) return ANY_LIST;
  return isMap(value) || value === null ? ANY_MAP : UNTYPED;
}

/** The shape of one entry of a map or struct; undefined for a field the struct does not have. */
export function entryShape(shape: StructShape | MapShape, key: string): Shape | undefined {
  return shape.kind === "map" ? shape.item() : shape.byName.get(key)?.shape();
}

/** An item that cannot be told apart from the others; the message is upstream's. */
export class ItemError extends Error { override readonly name = "ItemError"; }

/** The path element of a list's item. Throws ItemError. */
export function itemElement(shape: ListShape, item: unknown, index: number): string {
  if (shape.relation === "atomic") return indexElement(index);
  if (shape.relation === "set") {
    if (isMap(item)) throw new ItemError("associative list without keys has an element that's a map type");
    if (isList(item)) throw new ItemError("not supported: associative list with lists as elements");
    if (item === null) throw new ItemError("associative list without keys has an element that's an explicit null");
    return valueElement(item);
  }
  if (item === null) throw new ItemError("associative list with keys may not have a null element");
  if (!isMap(item)) throw new ItemError("associative list with keys may not have non-map elements");
  const keys: JsonMap = {}, itemShape = shape.item();
  for (const key of shape.keys) {
    const value = item[key] ?? (itemShape.kind === "struct" ? itemShape.byName.get(key)?.default : undefined);
    if (value !== undefined) keys[key] = value;
  }
  let found = false;
  for (const key in keys) { void key; found = true; break; }
  if (!found) {
    throw new ItemError(`associative list with keys has an element that omits all key fields [${shape.keys.map((key) => JSON.stringify(key)).join(" ")}] (and doesn't have default values for any key fields)`);
  }
  return keyElement(keys);
}
