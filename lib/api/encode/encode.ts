/**
 * Writes an object of a model as Go would: fields in Go's order, maps by key, empty values left out or written exactly
 * where Go does (`resources: {}`, `status: {loadBalancer: {}}`, `containers: null`).
 *
 * Promises nothing about values: they are taken to be in canonical form, as `decodeObject` gives them. Fields the model
 * does not have are not written. One writer a model, made when first asked for (`writer-source.ts`).
 * Counterpart: `encoding/json` over upstream's types.
 */
import { madeCode } from "../../util/made-code.ts";
import { modelOf } from "../schema/schema.ts";
import { eachItem, eachValue, isEmpty, sortedMap, type Json } from "./parts.ts";
import { writerSource } from "./writer-source.ts";

type Write = (object: object) => Json;

const writers = new Map<string, Write>();

/** The unions of CustomResourceDefinitions: a schema, a list of them, or another value. */
const schemas = (value: unknown): unknown =>
  (Array.isArray(value) ? value.map(schemas) : typeof value === "object" && value !== null ? writerOf("JSONSchemaProps")(value) : value);
const PARTS = { writerOf, schemas, eachItem, eachValue, isEmpty, sortedMap };

/** A writer of a model's fields but those of `except`. To be kept: code is made for it. */
export const makeWriter = (model: string, except: ReadonlySet<string>): Write => madeCode<Write>(`encode ${model}`, writerSource(modelOf(model), except), PARTS);

function writerOf(model: string): Write {
  let write = writers.get(model);
  if (write === undefined) writers.set(model, write = makeWriter(model, new Set()));
  return write;
}

/** The object as Go would write it, still as a value: for what is embedded elsewhere. Shares parts with `object`. */
export const toWire = (model: string, object: object): Record<string, unknown> => writerOf(model)(object);

/** The JSON text of an object of `model`, as upstream writes it, without a newline at the end. */
export const encodeObject = (model: string, object: object): string => JSON.stringify(writerOf(model)(object));
