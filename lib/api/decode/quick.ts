/**
 * The quick walk: what `JSON.parse` gave -> an object of a model, fields in Go's order, nulls dropped, maps sorted.
 *
 * It has no error texts: at the first odd thing (a wrong type, an unknown field) it raises `odd` and its result must be
 * thrown away; the exact walk then says what is wrong. One walker a model, made when first asked for.
 */
import { canonicalQuantity } from "../quantity.ts";
import { madeCode } from "../../util/made-code.ts";
import { modelOf, type FieldType, type Model, type Scalar } from "../schema/schema.ts";
import { canonicalBase64 } from "./base64.ts";
import { canonicalMicroTime, canonicalTime } from "./go-time.ts";
import { setOwn } from "./json-node.ts";
import { walkerSource } from "./walker-source.ts";

export interface QuickState {
  /** Keys met, to be held against the keys in the text. */
  keys: number;
  odd: boolean;
}
/** undefined: absent. */
type Walk = (value: unknown, state: QuickState) => unknown;
type Json = Record<string, unknown>;

/** For walking a value a second time. */
const IGNORED: QuickState = { keys: 0, odd: false };
const walkers = new Map<string, Walk>();

function odd(state: QuickState): undefined {
  state.odd = true;
  return undefined;
}

/** Runs a reader of one text that throws on what is wrong. */
const reading = (read: (text: string) => string | undefined): Walk => (value, state) => {
  if (typeof value !== "string") return value === null ? undefined : odd(state);
  try { return read(value); }
  catch { return odd(state); }
};

const integer = (min: number, max: number): Walk => (value, state) =>
  (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max ? value : value === null ? undefined : odd(state));

const int32 = integer(-(2 ** 31), 2 ** 31 - 1);
const quantityText = reading(canonicalQuantity);

/** Counts the keys of a value whose type is not known; the value itself is kept as it is. */
export function countKeys(value: unknown, state: QuickState): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) { for (const item of value) countKeys(item, state); return; }
  for (const key in value) { state.keys++; countKeys((value as Json)[key], state); }
}
const anything: Walk = (value, state) => { countKeys(value, state); return value === null ? undefined : value; };

const SCALAR_WALKS: Record<Exclude<Scalar, "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrStringArray">, Walk> = {
  string: (value, state) => (typeof value === "string" ? value : value === null ? undefined : odd(state)),
  boolean: (value, state) => (typeof value === "boolean" ? value : value === null ? undefined : odd(state)),
  int32,
  int64: integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  double: (value, state) => (typeof value === "number" ? value : value === null ? undefined : odd(state)),
  bytes: reading(canonicalBase64),
  Time: reading(canonicalTime),
  MicroTime: reading(canonicalMicroTime),
  Quantity: (value, state) => (typeof value === "number" ? quantityText(String(value), state) : quantityText(value, state)),
  IntOrString: (value, state) => (typeof value === "string" ? value : int32(value, state)),
  RawExtension: anything, FieldsV1: anything, JSON: anything,
  Empty: (value, state) => {
    if (value === null) return undefined;
    if (typeof value !== "object" || Array.isArray(value)) return odd(state);
    for (const key in value) { void key; return odd(state); }
    return value;
  },
};

function scalarWalk(scalar: Scalar): Walk {
  if (scalar === "JSONSchemaPropsOrBool" || scalar === "JSONSchemaPropsOrArray" || scalar === "JSONSchemaPropsOrStringArray") {
    const schema: Walk = (value, state) => walkerOf("JSONSchemaProps")(value, state), list = listWalk(scalar === "JSONSchemaPropsOrArray" ? schema : SCALAR_WALKS.string);
    return (value, state) => {
      if (scalar === "JSONSchemaPropsOrBool" && typeof value === "boolean") return value;
      if (Array.isArray(value)) return scalar === "JSONSchemaPropsOrBool" ? odd(state) : list(value, state);
      return typeof value === "object" && value !== null ? schema(value, state) : odd(state);
    };
  }
  return SCALAR_WALKS[scalar];
}

const listWalk = (item: Walk): Walk => (value, state) => {
  if (!Array.isArray(value)) return value === null ? undefined : odd(state);
  const items = value as unknown[];
  let result = items; // What came in stays as it was, in case the exact walk has to see it.
  for (let i = 0; i < items.length; i++) {
    const before = items[i], read = item(before, state);
    if (read === undefined) return odd(state);
    if (read === before) continue;
    if (result === items) result = items.slice();
    result[i] = read;
  }
  return result;
};

const mapWalk = (valueWalk: Walk): Walk => (value, state) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value === null ? undefined : odd(state);
  const map = value as Json;
  let same = true, previous = "";
  for (const key in map) {
    state.keys++;
    if (key < previous) same = false;
    previous = key;
    const before = map[key], read = valueWalk(before, state);
    if (read === undefined) return odd(state);
    if (read !== before) same = false;
  }
  if (same) return map;
  const ordered: Json = {};
  for (const key of Object.keys(map).sort()) setOwn(ordered, key, valueWalk(map[key], IGNORED));
  return ordered;
};

function typeWalk(type: FieldType): Walk {
  switch (type.kind) {
    case "scalar": return scalarWalk(type.scalar);
    case "list": return listWalk(typeWalk(type.item));
    case "map": return mapWalk(typeWalk(type.value));
    case "model": {
      const name = type.model;
      let walk: Walk | undefined; // Models may contain themselves.
      return (value, state) => (walk ??= walkerOf(name))(value, state);
    }
  }
}

function modelWalk(model: Model): Walk {
  const walk = madeCode<Walk>(`decode ${model.name}`, walkerSource(model), model.fields.map((field) => typeWalk(field.type)));
  return (value, state) => (typeof value === "object" && value !== null && !Array.isArray(value) ? walk(value, state) : value === null ? undefined : odd(state));
}

/** The walker of a model. */
export function walkerOf(name: string): Walk {
  let walk = walkers.get(name);
  if (walk === undefined) walkers.set(name, walk = modelWalk(modelOf(name)));
  return walk;
}
