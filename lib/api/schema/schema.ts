/**
 * The schema of the API at run time: every model, its fields in Go's order, and what of Go's types shows on the wire.
 *
 * Joins what `generate.ts` reads from the package (names, types, required marks) with `facts.json` (what the package
 * lacks, read off upstream's Go types: definition names, Go types, which empty values are written, list types and keys,
 * merge keys, defaults, enums, protobuf numbers). Models are joined when first asked for, since most never are.
 * Descriptions are read only by OpenAPI: see `descriptions.ts`.
 */
import facts from "./facts.json" with { type: "json" };
import generated from "./generated/schema.json" with { type: "json" };
import { assert } from "../../util/assert.ts";
import type { FieldSchema, ResourceSchema, Schema } from "./generate.ts";

/** What one JSON value may be. `Empty` is a struct without fields; the `JSONSchemaPropsOr…` are unions of CustomResourceDefinitions. */
export const SCALARS = [
  "string", "boolean", "int32", "int64", "double", "bytes", "Time", "MicroTime", "Quantity", "IntOrString", "RawExtension", "FieldsV1", "JSON", "Empty",
  "JSONSchemaPropsOrBool", "JSONSchemaPropsOrArray", "JSONSchemaPropsOrStringArray",
] as const;
export type Scalar = (typeof SCALARS)[number];

export type FieldType =
  | { readonly kind: "scalar"; readonly scalar: Scalar; readonly goType: string }
  | { readonly kind: "model"; readonly model: string; readonly goType: string }
  | { readonly kind: "list"; readonly item: FieldType; readonly goType: string }
  | { readonly kind: "map"; readonly value: FieldType; readonly goType: string };

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  /** OpenAPI's `required`. */
  readonly required: boolean;
  /** A Go pointer: zero and absent differ, so zero is written. */
  readonly pointer: boolean;
  /** Written even when absent: Go has no `omitempty` here, or ignores it (structs). */
  readonly keep: boolean;
  readonly listType: "atomic" | "set" | "map" | undefined;
  /** Of `listType` map. */
  readonly listMapKeys: readonly string[];
  /** The map or struct in this field is owned and replaced as a whole. */
  readonly atomic: boolean;
  /** `merge`, `replace`, `retainKeys`: of strategic merge patch. */
  readonly patchStrategy: readonly string[];
  readonly patchMergeKey: string | undefined;
  readonly default: unknown;
  readonly enum: readonly string[] | undefined;
  /** Protobuf field number; `via` is the number of the embedded message that holds it. */
  readonly number: number | undefined;
  readonly via: number | undefined;
}

export interface Model {
  readonly name: string;
  /** `io.k8s.api.core.v1.Pod` */
  readonly definition: string;
  /** `Pod`: the Go struct's name. */
  readonly goName: string;
  /** In Go's order. */
  readonly fields: readonly Field[];
  readonly byName: ReadonlyMap<string, Field>;
  readonly atomic: boolean;
}

interface FieldFacts {
  type?: string; go?: string; pointer?: 1; keep?: 1; list?: "atomic" | "set" | "map"; keys?: string[]; atomic?: 1;
  patch?: string; patchKey?: string; default?: unknown; enum?: string[]; number?: number; via?: number;
}
interface ModelFacts { definition: string; atomic?: 1; fields: Record<string, FieldFacts> }
interface Facts { goTypes: Record<string, string>; models: Record<string, ModelFacts> }

const FACTS = facts as unknown as Facts;
const SCHEMA = generated as unknown as Schema;
const models = new Map<string, Model>();

const GO_TYPES: Partial<Record<Scalar, string>> = {
  boolean: "bool", double: "float64", bytes: "[]uint8", Time: "v1.Time", MicroTime: "v1.MicroTime", Quantity: "resource.Quantity", IntOrString: "intstr.IntOrString",
  RawExtension: "runtime.RawExtension", FieldsV1: "v1.FieldsV1", JSON: "v1.JSON", Empty: "struct {}",
  JSONSchemaPropsOrBool: "v1.JSONSchemaPropsOrBool", JSONSchemaPropsOrArray: "v1.JSONSchemaPropsOrArray", JSONSchemaPropsOrStringArray: "v1.JSONSchemaPropsOrStringArray",
};

/** `io.k8s.api.core.v1.Pod` -> `v1.Pod`, as Go prints the type. */
const goTypeOf = (definition: string): string => definition.split(".").slice(-2).join(".");

function formatted(type: string, format: string | undefined): string {
  if (type === "number") return format ?? "double";
  if (type !== "string") return type;
  return format === "byte" ? "bytes" : format === "date-time" ? "Time" : format === "date-time-micro" ? "MicroTime" : "string";
}

function readType(type: string, format: string | undefined, go: string | undefined): FieldType {
  const literal = go === undefined ? undefined : (FACTS.goTypes[go] ?? go);
  if (type.startsWith("[]")) {
    const item = readType(type.slice(2), format, literal?.replace(/^\[\]\*?/, ""));
    return { kind: "list", item, goType: go ?? `[]${item.goType}` };
  }
  if (type.startsWith("map:")) {
    const value = readType(type.slice(4), format, literal?.replace(/^map\[[^\]]*\]\*?/, ""));
    return { kind: "map", value, goType: go ?? `map[string]${value.goType}` };
  }
  const name = formatted(type, format);
  if (Object.hasOwn(FACTS.models, name)) return { kind: "model", model: name, goType: go ?? goTypeOf(FACTS.models[name]!.definition) };
  const scalar = SCALARS.find((known) => known === name);
  assert(scalar !== undefined, `schema type ${name} is known`);
  return { kind: "scalar", scalar, goType: go ?? GO_TYPES[scalar] ?? scalar };
}

function readField(name: string, declared: FieldSchema, fact: FieldFacts): Field {
  return {
    name, type: readType(fact.type ?? declared.type, fact.type === undefined ? declared.format : undefined, fact.go),
    required: declared.required === true, pointer: fact.pointer === 1, keep: fact.keep === 1,
    listType: fact.list, listMapKeys: fact.keys ?? [], atomic: fact.atomic === 1,
    patchStrategy: fact.patch?.split(",") ?? [], patchMergeKey: fact.patchKey, default: fact.default, enum: fact.enum, number: fact.number, via: fact.via,
  };
}

/** The model called `name`, e.g. "Pod"; undefined when there is none. */
export function findModel(name: string): Model | undefined {
  const known = models.get(name);
  if (known !== undefined) return known;
  if (!Object.hasOwn(FACTS.models, name)) return undefined;
  const fact = FACTS.models[name]!, declared = SCHEMA.models[name]!;
  const fields = Object.entries(fact.fields).map(([field, one]) => readField(field, declared.fields[field]!, one));
  const model: Model = {
    name, definition: fact.definition, goName: fact.definition.slice(fact.definition.lastIndexOf(".") + 1),
    fields, byName: new Map(fields.map((field) => [field.name, field])), atomic: fact.atomic === 1,
  };
  models.set(name, model);
  return model;
}

/** The model called `name`; asking for one that does not exist is our bug. */
export function modelOf(name: string): Model {
  const model = findModel(name);
  assert(model !== undefined, `model ${name} exists`);
  return model;
}

/** Names of all models. */
export const modelNames = (): string[] => Object.keys(FACTS.models);

/** Every resource of the package: group, version, kind, verbs, subresources. */
export const resourceSchemas = (): readonly ResourceSchema[] => SCHEMA.resources;

type Place = Pick<ResourceSchema, "group" | "version" | "plural">;
const placeOf = ({ group, version, plural }: Place): string => `${group}/${version}/${plural}`;
const resourcesByPlace = new Map(SCHEMA.resources.map((resource) => [placeOf(resource), resource]));
/** What the package says of one resource; undefined when it has none such. */
export const resourceSchemaOf = (place: Place): ResourceSchema | undefined => resourcesByPlace.get(placeOf(place));
