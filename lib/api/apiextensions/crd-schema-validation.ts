/** Schemas of custom resources: they must be structural, every value of a known type. Counterpart: apiextensions `schema/validation.go`. */
import { forbiddenField, required } from "../field-error.ts";
import type { FieldPath } from "../field-path.ts";
import type { JSONSchemaProps } from "../schema/generated/models.ts";
import type { Errors } from "../validation/checks.ts";

const isSchema = (value: unknown): value is JSONSchemaProps => typeof value === "object" && value !== null && !Array.isArray(value);

/** The schema of a whole object. */
export function checkRootSchema(errors: Errors, path: FieldPath, schema: JSONSchemaProps): void {
  if (schema.nullable === true) errors.push(forbiddenField(path.child("nullable"), "nullable cannot be true at the root"));
  checkSchema(errors, path, schema, "at the root");
}

function checkSchema(errors: Errors, path: FieldPath, schema: JSONSchemaProps, place: string): void {
  const { properties, items, additionalProperties } = schema;
  const isOpen = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if ((schema.type ?? "") === "" && (!isOpen || place === "at the root")) errors.push(required(path.child("type"), `must not be empty ${place}`));
  if (properties !== undefined && isSchema(additionalProperties)) errors.push(forbiddenField(path.child("additionalProperties"), "additionalProperties and properties are mutual exclusive"));
  for (const [name, property] of Object.entries(properties ?? {})) checkSchema(errors, path.child("properties").key(name), property as JSONSchemaProps, "for specified object fields");
  if (Array.isArray(items)) errors.push(forbiddenField(path.child("items"), "items must be a schema object and not an array"));
  else if (isSchema(items)) checkSchema(errors, path.child("items"), items, "for specified array items");
  if (isSchema(additionalProperties)) checkSchema(errors, path.child("additionalProperties"), additionalProperties, "for specified object fields");
}
