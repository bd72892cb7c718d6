/**
 * Request bodies in Kubernetes' protobuf, as client-go's typed clients send them, read into the values JSON would give.
 *
 * The envelope is `k8s\0` and a runtime.Unknown holding kind, apiVersion and the message. Field numbers come from the schema's
 * facts. Go leaves nothing out of a message, so empty values of fields that are no pointers mean absence here.
 * Counterpart: apimachinery `runtime/serializer/protobuf`. Answers are JSON, which every such client names beside protobuf.
 */
import { modelOf, type Field, type FieldType, type Scalar } from "../../api/schema/schema.ts";
import { BYTES, ProtobufError, ProtobufReader, VARINT } from "./protobuf-reader.ts";

export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
const MAGIC = Buffer.from("k8s\0");
const DEPTH_MAX = 100;

type Json = Record<string, unknown>;
interface Numbered { readonly fields: ReadonlyMap<number, Field>; readonly embedded: ReadonlyMap<number, ReadonlyMap<number, Field>> }

const numbered = new Map<string, Numbered>();

function numbersOf(model: string): Numbered {
  let known = numbered.get(model);
  if (known === undefined) {
    const fields = new Map<number, Field>(), embedded = new Map<number, Map<number, Field>>();
    for (const field of modelOf(model).fields) {
      if (field.number === undefined) continue;
      if (field.via === undefined) { fields.set(field.number, field); continue; }
      const inner = embedded.get(field.via) ?? new Map<number, Field>();
      embedded.set(field.via, inner.set(field.number, field));
    }
    numbered.set(model, known = { fields, embedded });
  }
  return known;
}

/** A field that Go wrote although nothing was set. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function readMessage(bytes: Buffer, fields: ReadonlyMap<number, Field>, embedded: Numbered["embedded"] | undefined, into: Json, depth: number): Json {
  if (depth > DEPTH_MAX) throw new ProtobufError("message is nested too deeply");
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const { number, wire } = reader.tag(), field = fields.get(number), inner = embedded?.get(number);
    if (inner !== undefined && wire === BYTES) readMessage(reader.bytes(), inner, undefined, into, depth + 1);
    else if (field === undefined) reader.skip(wire);
    else readField(reader, wire, field, into, depth);
  }
  return into;
}

function readField(reader: ProtobufReader, wire: number, field: Field, into: Json, depth: number): void {
  const { name, type } = field;
  if (type.kind === "list") {
    const list = (into[name] ??= []) as unknown[];
    if (wire === BYTES && type.item.kind === "scalar" && isVarint(type.item.scalar)) {
      const packed = new ProtobufReader(reader.bytes());
      while (!packed.done) list.push(readVarint(packed, type.item.scalar));
    } else list.push(readValue(reader, wire, type.item, depth));
  } else if (type.kind === "map") {
    const map = (into[name] ??= {}) as Json, entry = new ProtobufReader(reader.bytes());
    let key = "", value: unknown = type.value.kind === "scalar" && (type.value.scalar === "string" || type.value.scalar === "bytes") ? "" : undefined;
    while (!entry.done) {
      const part = entry.tag();
      if (part.number === 1) key = entry.bytes().toString();
      else if (part.number === 2) value = readValue(entry, part.wire, type.value, depth);
      else entry.skip(part.wire);
    }
    Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
  } else {
    const value = readValue(reader, wire, type, depth);
    if (field.pointer || !isZero(value)) into[name] = value;
  }
}

const isVarint = (scalar: Scalar): boolean => scalar === "int32" || scalar === "int64" || scalar === "boolean";
function readVarint(reader: ProtobufReader, scalar: Scalar): number | boolean {
  const value = reader.varint();
  return scalar === "boolean" ? value !== 0n : Number(value);
}

function readValue(reader: ProtobufReader, wire: number, type: FieldType, depth: number): unknown {
  switch (type.kind) {
    case "model": {
      const { fields, embedded } = numbersOf(type.model);
      return readMessage(reader.bytes(), fields, embedded, {}, depth + 1);
    }
    case "scalar": return readScalar(reader, wire, type.scalar, depth);
    // A named list inside a map (`map[string]ExtraValue`): a message of its own, items in field 1.
    case "list": {
      const items: unknown[] = [], inner = new ProtobufReader(reader.bytes());
      while (!inner.done) {
        const part = inner.tag();
        if (part.number === 1) items.push(readValue(inner, part.wire, type.item, depth + 1));
        else inner.skip(part.wire);
      }
      return items;
    }
    case "map": throw new ProtobufError("a map inside a map");
  }
}

function readScalar(reader: ProtobufReader, wire: number, scalar: Scalar, depth: number): unknown {
  if (wire === VARINT) return readVarint(reader, scalar);
  if (scalar === "double") return reader.double();
  const bytes = reader.bytes();
  switch (scalar) {
    case "string": return bytes.toString();
    case "bytes": return bytes.toString("base64");
    case "Time": case "MicroTime": return readTime(bytes, scalar);
    case "Quantity": return firstBytes(bytes)?.toString() ?? "0";
    case "IntOrString": return readIntOrString(bytes);
    case "RawExtension": case "FieldsV1": case "JSON": return readJson(firstBytes(bytes));
    case "Empty": return {};
    case "JSONSchemaPropsOrBool": case "JSONSchemaPropsOrArray": case "JSONSchemaPropsOrStringArray": return readSchemaUnion(bytes, scalar, depth);
    case "boolean": case "int32": case "int64": throw new ProtobufError(`wrong wireType = ${wire} for a number`);
  }
}

/** Content of field 1, of messages that wrap one value. */
function firstBytes(bytes: Buffer): Buffer | undefined {
  const reader = new ProtobufReader(bytes);
  let found: Buffer | undefined;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1 && wire === BYTES) found = reader.bytes();
    else reader.skip(wire);
  }
  return found;
}

function readTime(bytes: Buffer, scalar: "Time" | "MicroTime"): string | undefined {
  const reader = new ProtobufReader(bytes);
  let seconds: bigint | undefined, nanos = 0;
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) seconds = reader.varint();
    else if (number === 2) nanos = Number(reader.varint());
    else reader.skip(wire);
  }
  if (seconds === undefined) return undefined;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) throw new ProtobufError("time is out of range");
  const whole = date.toISOString().slice(0, 19);
  return scalar === "Time" ? `${whole}Z` : `${whole}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function readIntOrString(bytes: Buffer): number | string {
  const reader = new ProtobufReader(bytes);
  let isText = false, int = 0, text = "";
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (number === 1) isText = reader.varint() === 1n;
    else if (number === 2) int = Number(reader.varint());
    else if (number === 3) text = reader.bytes().toString();
    else reader.skip(wire);
  }
  return isText ? text : int;
}

function readJson(bytes: Buffer | undefined): unknown {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try { return JSON.parse(bytes.toString()); }
  catch { throw new ProtobufError("embedded object is not JSON"); }
}

function readSchemaUnion(bytes: Buffer, scalar: Scalar, depth: number): unknown {
  const reader = new ProtobufReader(bytes), { fields, embedded } = numbersOf("JSONSchemaProps"), list: unknown[] = [];
  let schema: Json | undefined, allows = false;
  const read = (): Json => readMessage(reader.bytes(), fields, embedded, {}, depth + 1);
  while (!reader.done) {
    const { number, wire } = reader.tag();
    if (scalar === "JSONSchemaPropsOrBool" && number === 1) allows = reader.varint() !== 0n;
    else if (scalar === "JSONSchemaPropsOrBool" ? number === 2 : number === 1) schema = read();
    else if (number === 2) list.push(scalar === "JSONSchemaPropsOrArray" ? read() : reader.bytes().toString());
    else reader.skip(wire);
  }
  return schema ?? (scalar === "JSONSchemaPropsOrBool" ? allows : list);
}

/** Kind, apiVersion and fields of a body, as JSON would give them. Throws ProtobufError. */
export function readProtobuf(model: string, bytes: Buffer): Json {
  if (bytes.length < MAGIC.length || MAGIC.compare(bytes, 0, MAGIC.length) !== 0) throw new ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
  const envelope = new ProtobufReader(bytes, MAGIC.length), header: Json = {};
  let raw: Buffer = Buffer.alloc(0);
  while (!envelope.done) {
    const { number, wire } = envelope.tag();
    if (number === 1) {
      const typeMeta = new ProtobufReader(envelope.bytes());
      while (!typeMeta.done) {
        const part = typeMeta.tag();
        if (part.number === 1) header["apiVersion"] = typeMeta.bytes().toString();
        else if (part.number === 2) header["kind"] = typeMeta.bytes().toString();
        else typeMeta.skip(part.wire);
      }
    } else if (number === 2) raw = envelope.bytes();
    else envelope.skip(wire);
  }
  const { fields, embedded } = numbersOf(model);
  return readMessage(raw, fields, embedded, header, 0);
}
