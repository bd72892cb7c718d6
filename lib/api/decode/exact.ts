/**
 * The exact walk: a JSON tree as written -> an object of a model, with every error Go would find, in its words and order.
 *
 * A wrong type does not stop the walk: the first one is reported at its end. A value that its own type reads (a quantity,
 * a time) stops it at once. A repeated key is decoded over what the first one left, as Go does.
 * Counterpart: `sigs.k8s.io/json`, with the UnmarshalJSON methods of the types.
 */
import { canonicalQuantity, QuantityError } from "../quantity.ts";
import { modelOf, type FieldType, type Model, type Scalar } from "../schema/schema.ts";
import { Base64Error, canonicalBase64 } from "./base64.ts";
import { canonicalMicroTime, canonicalTime, GoTimeError } from "./go-time.ts";
import { NumberRangeError, plainValue, readNumber, setOwn, type JsonNode } from "./json-node.ts";

/** What Go's decoder returns as error; the message is Go's. */
export class UnmarshalError extends Error { override readonly name = "UnmarshalError"; }

const STRICT_ERRORS_MAX = 100;
type Json = Record<string, unknown>;
const INT_LIMITS = { int32: 2n ** 31n, int64: 2n ** 63n };

const describe = (node: JsonNode): string => node.kind;

/** One walk's findings. */
export class ExactWalk {
  /** Unknown and repeated fields, as upstream's strict mode words them. */
  readonly strictErrors: string[] = [];
  #firstError: string | undefined;
  #struct = "";
  /** JSON names down to here, without indexes: of type errors. */
  #fields: string[] = [];
  /** The path with indexes and map keys: of strict errors. */
  #path = "";

  /** Decodes the whole of `node`. Throws UnmarshalError. */
  static decode(model: Model, node: JsonNode): { object: Json; strictErrors: string[] } {
    const walk = new ExactWalk(), object = walk.#model(model, node, undefined) as Json | undefined;
    if (walk.#firstError !== undefined) throw new UnmarshalError(walk.#firstError);
    return { object: object ?? {}, strictErrors: walk.strictErrors };
  }

  #typeError(node: JsonNode, goType: string, what: string = describe(node)): undefined {
    const where = this.#fields.length > 0 ? `Go struct field ${this.#struct}.${this.#fields.join(".")}` : "Go value";
    this.#firstError ??= `json: cannot unmarshal ${what} into ${where} of type ${goType}`;
    return undefined;
  }

  #strict(what: string, key: string): void {
    const text = `${what} ${JSON.stringify(this.#path === "" ? key : `${this.#path}.${key}`)}`;
    if (this.strictErrors.length < STRICT_ERRORS_MAX && !this.strictErrors.includes(text)) this.strictErrors.push(text);
  }

  #model(model: Model, node: JsonNode, existing: unknown): unknown {
    if (node.kind === "null") return existing;
    if (node.kind !== "object") return this.#typeError(node, model.definition.split(".").slice(-2).join("."));
    const found = new Map<string, unknown>(Object.entries((existing ?? {}) as Json)), seen = new Set<string>();
    const struct = this.#struct, path = this.#path;
    node.keys.forEach((key, i) => {
      const field = model.byName.get(key);
      if (field === undefined) return this.#strict("unknown field", key);
      if (seen.has(key)) this.#strict("duplicate field", key);
      seen.add(key);
      this.#struct = model.goName;
      this.#fields.push(key);
      this.#path = path === "" ? key : `${path}.${key}`;
      const value = this.#value(field.type, node.values[i]!, found.get(key));
      if (value === undefined) found.delete(key);
      else found.set(key, value);
      this.#fields.pop();
      this.#struct = struct;
      this.#path = path;
    });
    const object: Json = {};
    for (const field of model.fields) if (found.has(field.name)) object[field.name] = found.get(field.name);
    return object;
  }

  #value(type: FieldType, node: JsonNode, existing: unknown): unknown {
    switch (type.kind) {
      case "model": return this.#model(modelOf(type.model), node, existing);
      case "list": return this.#list(type.item, type.goType, node, existing);
      case "map": return this.#map(type.value, type.goType, node, existing);
      case "scalar": return this.#scalar(type.scalar, type.goType, node, existing);
    }
  }

  #list(item: FieldType, goType: string, node: JsonNode, existing: unknown): unknown {
    if (node.kind === "null") return undefined;
    if (node.kind !== "array") return this.#typeError(node, goType);
    const before = Array.isArray(existing) ? (existing as unknown[]) : [], path = this.#path;
    const items = node.items.map((one, i) => {
      this.#path = `${path}[${i}]`;
      return this.#value(item, one, before[i]) ?? zeroOf(item);
    });
    this.#path = path;
    return items;
  }

  #map(valueType: FieldType, goType: string, node: JsonNode, existing: unknown): unknown {
    if (node.kind === "null") return undefined;
    if (node.kind !== "object") return this.#typeError(node, goType);
    const found = new Map(Object.entries((existing ?? {}) as Json)), seen = new Set<string>(), path = this.#path;
    node.keys.forEach((key, i) => {
      if (seen.has(key)) this.#strict("duplicate field", key);
      seen.add(key);
      this.#path = path === "" ? key : `${path}.${key}`;
      found.set(key, this.#value(valueType, node.values[i]!, undefined) ?? zeroOf(valueType));
      this.#path = path;
    });
    const object: Json = {};
    for (const key of [...found.keys()].sort()) setOwn(object, key, found.get(key));
    return object;
  }

  #plain(node: JsonNode): unknown {
    try { return plainValue(node); }
    catch (error) {
      if (error instanceof NumberRangeError) throw new UnmarshalError(error.message, { cause: error });
      throw error;
    }
  }

  #scalar(scalar: Scalar, goType: string, node: JsonNode, existing: unknown): unknown {
    switch (scalar) {
      case "string": return node.kind === "string" ? node.text : node.kind === "null" ? existing : this.#typeError(node, goType);
      case "boolean": return node.kind === "bool" ? node.value : node.kind === "null" ? existing : this.#typeError(node, goType);
      case "int32": case "int64": return node.kind === "null" ? existing : node.kind === "number" ? this.#integer(scalar, goType, node) : this.#typeError(node, goType);
      case "double": return node.kind === "null" ? existing : node.kind === "number" && Number.isFinite(Number(node.text)) ? Number(node.text) : this.#typeError(node, goType, node.kind === "number" ? `number ${node.text}` : node.kind);
      case "bytes": return this.#bytes(goType, node);
      case "Empty":
        if (node.kind === "null") return undefined;
        if (node.kind !== "object") return this.#typeError(node, goType);
        for (const key of node.keys) this.#strict("unknown field", key);
        return {};
      case "Quantity": return node.kind === "null" ? undefined : quantity(node);
      case "Time": case "MicroTime": return node.kind === "null" ? undefined : time(node, scalar);
      case "IntOrString": return node.kind === "null" ? existing : intOrString(node);
      case "RawExtension": case "FieldsV1": case "JSON": return node.kind === "null" ? undefined : this.#plain(node);
      case "JSONSchemaPropsOrBool":
        if (node.kind === "bool") return node.value;
        if (node.kind !== "object") throw new UnmarshalError("boolean or JSON schema expected");
        return nested(node);
      case "JSONSchemaPropsOrArray": case "JSONSchemaPropsOrStringArray":
        if (node.kind === "object") return nested(node);
        if (node.kind !== "array") return undefined; // Upstream reads anything else as nothing.
        return node.items.map((one) => (scalar === "JSONSchemaPropsOrArray" ? nested(one) : textOf(one)));
    }
  }

  #integer(scalar: "int32" | "int64", goType: string, node: JsonNode & { kind: "number" }): unknown {
    const limit = INT_LIMITS[scalar];
    if (/^-?[0-9]+$/.test(node.text)) {
      const value = BigInt(node.text);
      if (value < limit && value >= -limit) return readNumber(node.text);
    }
    return this.#typeError(node, goType, `number ${node.text}`);
  }

  #bytes(goType: string, node: JsonNode): unknown {
    if (node.kind === "null") return undefined;
    if (node.kind !== "string") return this.#typeError(node, goType);
    try { return canonicalBase64(node.text); }
    catch (error) {
      if (!(error instanceof Base64Error)) throw error;
      this.#firstError ??= error.message;
      return undefined;
    }
  }
}

const ZERO_SCALARS: Partial<Record<Scalar, unknown>> = { string: "", boolean: false, int32: 0, int64: 0, double: 0, IntOrString: 0, Quantity: "0" };

/** What a `null` in a list or map leaves: Go's zero value. */
function zeroOf(type: FieldType): unknown {
  if (type.kind === "model" || (type.kind === "scalar" && type.scalar === "Empty")) return {};
  return type.kind === "scalar" ? (ZERO_SCALARS[type.scalar] ?? null) : null;
}

/** The text UnmarshalJSON would get, a string without its quotes. Of lists and objects only the start: it is wrong already. */
function rawText(node: JsonNode): string {
  if (node.kind === "string") return JSON.stringify(node.text).slice(1, -1);
  return node.kind === "number" ? node.text : node.kind === "bool" ? String(node.value) : "{";
}

function quantity(node: JsonNode): string {
  try { return canonicalQuantity(rawText(node)); }
  catch (error) {
    if (error instanceof QuantityError) throw new UnmarshalError(error.message, { cause: error });
    throw error;
  }
}

function time(node: JsonNode, scalar: "Time" | "MicroTime"): string | undefined {
  const text = textOf(node);
  try { return scalar === "Time" ? canonicalTime(text) : canonicalMicroTime(text); }
  catch (error) {
    if (error instanceof GoTimeError) throw new UnmarshalError(error.message, { cause: error });
    throw error;
  }
}

function textOf(node: JsonNode): string {
  if (node.kind !== "string") throw new UnmarshalError(`json: cannot unmarshal ${describe(node)} into Go value of type string`);
  return node.text;
}

function intOrString(node: JsonNode): unknown {
  if (node.kind === "string") return node.text;
  const value = node.kind === "number" ? Number(node.text) : Number.NaN;
  if (node.kind === "number" && /^-?[0-9]+$/.test(node.text) && value === (value | 0)) return Object.is(value, -0) ? 0 : value;
  throw new UnmarshalError(`json: cannot unmarshal ${node.kind === "number" ? `number ${node.text}` : describe(node)} into Go value of type int32`);
}

/** A schema inside a schema: read by its own decoder, which forgets strict errors. */
const nested = (node: JsonNode): Json => ExactWalk.decode(modelOf("JSONSchemaProps"), node).object;
