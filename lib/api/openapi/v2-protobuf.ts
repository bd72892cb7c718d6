/**
 * The OpenAPI v2 document as protobuf, the only form kubectl before 1.27 reads. Field numbers are those of
 * `openapi_v2.Document` in gnostic; values of any type travel as YAML, of which JSON is a part.
 */
import type { Json } from "./definitions.ts";
import { ProtobufWriter } from "./protobuf-writer.ts";

/** The Content-Type of what `encodeOpenapiV2` gives. */
export const OPENAPI_V2_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** What an Accept header may call it: kubectl asks with an `@`. */
export const OPENAPI_V2_PROTOBUF_NAMES: readonly string[] = [OPENAPI_V2_PROTOBUF, "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"];

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const entries = (value: unknown): [string, unknown][] => (isJson(value) ? Object.entries(value) : []);
const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isJson) : []);

const any = (writer: ProtobufWriter, field: number, value: unknown): ProtobufWriter => writer.message(field, (nested) => nested.string(2, JSON.stringify(value)));

function extensions(writer: ProtobufWriter, field: number, owner: Json): void {
  for (const [name, value] of Object.entries(owner)) {
    if (name.startsWith("x-")) writer.message(field, (named) => any(named.string(1, name), 2, value));
  }
}

function schema(writer: ProtobufWriter, value: Json): void {
  writer.string(1, value["$ref"]).string(2, value["format"]).string(4, value["description"]);
  if (value["default"] !== undefined) any(writer, 5, value["default"]);
  writer.strings(19, value["required"]);
  if (Array.isArray(value["enum"])) for (const one of value["enum"]) any(writer, 20, one);
  const { additionalProperties, items, properties, type } = value;
  if (isJson(additionalProperties)) writer.message(21, (item) => item.message(1, (nested) => schema(nested, additionalProperties)));
  if (typeof type === "string") writer.message(22, (item) => item.string(1, type));
  if (isJson(items)) writer.message(23, (item) => item.message(1, (nested) => schema(nested, items)));
  if (isJson(properties)) writer.message(25, (all) => namedSchemas(all, properties));
  extensions(writer, 31, value);
}

function namedSchemas(writer: ProtobufWriter, schemas: Json): void {
  for (const [name, value] of entries(schemas)) writer.message(1, (named) => named.string(1, name).message(2, (nested) => schema(nested, value as Json)));
}

/** A ParametersItem holding a Parameter. */
function parameter(writer: ProtobufWriter, field: number, value: Json): void {
  writer.message(field, (item) => item.message(1, (one) => {
    const body = value["schema"];
    if (value["in"] === "body") {
      one.message(1, (nested) => nested.string(2, value["name"]).string(3, "body").bool(4, value["required"]).message(5, (inner) => schema(inner, body as Json)));
    } else if (value["in"] === "path") {
      one.message(2, (other) => other.message(4, (nested) => nested.bool(1, true).string(2, "path").string(3, value["description"]).string(4, value["name"]).string(5, value["type"]).bool(18, value["uniqueItems"])));
    } else {
      one.message(2, (other) => other.message(3, (nested) => nested.string(2, "query").string(3, value["description"]).string(4, value["name"]).string(6, value["type"]).bool(20, value["uniqueItems"])));
    }
  }));
}

function responses(writer: ProtobufWriter, field: number, value: Json): void {
  writer.message(field, (all) => {
    for (const [code, response] of entries(value)) {
      const { description, schema: body } = response as Json;
      all.message(1, (named) => named.string(1, code).message(2, (item) => item.message(1, (nested) => {
        nested.string(1, description);
        if (isJson(body)) nested.message(2, (inner) => inner.message(1, (one) => schema(one, body)));
      })));
    }
  });
}

function operation(writer: ProtobufWriter, field: number, value: Json): void {
  writer.message(field, (nested) => {
    nested.strings(1, value["tags"]).string(3, value["description"]).string(5, value["operationId"]).strings(6, value["produces"]).strings(7, value["consumes"]);
    for (const one of list(value["parameters"])) parameter(nested, 8, one);
    responses(nested, 9, value["responses"] as Json);
    nested.strings(10, value["schemes"]);
    extensions(nested, 13, value);
  });
}

const METHOD_FIELDS: Record<string, number> = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 };

function pathItem(writer: ProtobufWriter, value: Json): void {
  for (const [method, field] of Object.entries(METHOD_FIELDS)) if (isJson(value[method])) operation(writer, field, value[method]);
  for (const one of list(value["parameters"])) parameter(writer, 9, one);
}

function security(writer: ProtobufWriter): void {
  writer.message(12, (requirement) => requirement.message(1, (named) => named.string(1, "BearerToken").message(2, () => { /* No scopes. */ })));
  writer.message(13, (all) => all.message(1, (named) => named.string(1, "BearerToken").message(2, (item) => item.message(2, (key) =>
    key.string(1, "apiKey").string(2, "authorization").string(3, "header").string(4, "Bearer Token authentication")))));
}

/** Encodes a document that `buildOpenapiV2` made. */
export function encodeOpenapiV2(document: Json): Buffer {
  const writer = new ProtobufWriter(), info = document["info"] as Json;
  writer.string(1, document["swagger"]).message(2, (nested) => nested.string(1, info["title"]).string(2, info["version"]));
  writer.message(8, (paths) => {
    for (const [path, item] of entries(document["paths"])) paths.message(2, (named) => named.string(1, path).message(2, (nested) => pathItem(nested, item as Json)));
  });
  writer.message(9, (definitions) => namedSchemas(definitions, document["definitions"] as Json));
  security(writer);
  return writer.finish();
}
