/**
 * Writes an object of a model as Go would: fields in Go's order, maps by key, empty values left out or written exactly
 * where Go does (`resources: {}`, `status: {loadBalancer: {}}`, `containers: null`).
 *
 * Promises nothing about values: they are taken to be in canonical form, as `decodeObject` gives them. Fields the model
 * does not have are not written. One writer a model, made when first asked for.
 * Counterpart: `encoding/json` over upstream's types.
 */
import { setOwn } from "./decode/json-node.ts";
import { modelOf, type Field, type FieldType, type Model, type Scalar } from "./schema/schema.ts";

/** undefined: not written. */
type Write = (value: unknown) => unknown;
type Json = Record<string, unknown>;

const writers = new Map<string, (object: unknown) => Json>();
const same: Write = (value) => value;

/** What Go writes for an absent value that is always written. */
const ZEROS: Partial<Record<Scalar, unknown>> = { string: "", boolean: false, int32: 0, int64: 0, double: 0, Quantity: "0", IntOrString: 0, JSONSchemaPropsOrBool: false };

/** Writes a value that is there. */
function typeWrite(type: FieldType): Write {
  switch (type.kind) {
    case "model": return lazily(type.model);
    case "list": {
      const item = typeWrite(type.item);
      return item === same ? same : (value) => (Array.isArray(value) ? value.map((one) => item(one)) : value);
    }
    case "map": return mapWrite(typeWrite(type.value));
    case "scalar":
      if (type.scalar !== "JSONSchemaPropsOrBool" && type.scalar !== "JSONSchemaPropsOrArray" && type.scalar !== "JSONSchemaPropsOrStringArray") return same;
      return (value) => (Array.isArray(value) ? value.map(schemaWrite) : schemaWrite(value));
  }
}

const schemaWrite: Write = (value) => (typeof value === "object" && value !== null ? lazily("JSONSchemaProps")(value) : value);

/** Models may contain themselves. */
function lazily(name: string): Write {
  let write: Write | undefined;
  return (value) => (write ??= writerOf(name))(value);
}

function mapWrite(valueWrite: Write): Write {
  return (value) => {
    const map = value as Json;
    let sorted = true, previous = "";
    for (const key in map) {
      if (key < previous) { sorted = false; break; }
      previous = key;
    }
    if (sorted && valueWrite === same) return map;
    const ordered: Json = {};
    for (const key of Object.keys(map).sort()) setOwn(ordered, key, valueWrite(map[key]));
    return ordered;
  };
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== "object") return value === "" || value === 0 || value === false || value === undefined;
  if (value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  for (const key in value) { void key; return false; }
  return true;
}

/** Writes a field that may be absent. */
function fieldWrite(field: Field): Write {
  const write = typeWrite(field.type), { type } = field;
  if (field.pointer) return (value) => (value === undefined || value === null ? (field.keep ? null : undefined) : write(value));
  if (field.keep) {
    if (type.kind === "model") return (value) => write(value ?? {});
    const zero = type.kind !== "scalar" ? null : type.scalar === "Empty" ? {} : (ZEROS[type.scalar] ?? null);
    return (value) => (value === undefined || value === null ? zero : write(value));
  }
  if (type.kind === "model") { // omitzero
    return (value) => {
      if (value === undefined || value === null) return undefined;
      const written = write(value);
      return isEmpty(written) ? undefined : written;
    };
  }
  return (value) => (isEmpty(value) ? undefined : write(value));
}

function modelWrite(model: Model): (object: unknown) => Json {
  const names = model.fields.map((field) => field.name), keeps = model.fields.map((field) => field.keep), writes = model.fields.map(fieldWrite);
  return (object) => {
    const source = object as Json, written: Json = {};
    for (let i = 0; i < names.length; i++) {
      const name = names[i]!, given = source[name];
      if (given === undefined && !keeps[i]) continue;
      const value = writes[i]!(given);
      if (value !== undefined) written[name] = value;
    }
    return written;
  };
}

function writerOf(name: string): (object: unknown) => Json {
  let write = writers.get(name);
  if (write === undefined) writers.set(name, write = modelWrite(modelOf(name)));
  return write;
}

/** The object as Go would write it, still as a value: for what is embedded elsewhere. Shares parts with `object`. */
export const toWire = (model: string, object: object): Record<string, unknown> => writerOf(model)(object);

/** The JSON text of an object of `model`, as upstream writes it, without a newline at the end. */
export const encodeObject = (model: string, object: object): string => JSON.stringify(writerOf(model)(object));
