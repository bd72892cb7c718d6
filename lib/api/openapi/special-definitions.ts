/** Definitions of types that read and write themselves: they have no fields to derive them from. */
import type { Scalar } from "../schema/schema.ts";

const MACHINERY = "io.k8s.apimachinery.pkg.", EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

const NAMES: Partial<Record<Scalar, string>> = {
  Quantity: `${MACHINERY}api.resource.Quantity`, IntOrString: `${MACHINERY}util.intstr.IntOrString`, RawExtension: `${MACHINERY}runtime.RawExtension`,
  Time: `${MACHINERY}apis.meta.v1.Time`, MicroTime: `${MACHINERY}apis.meta.v1.MicroTime`, FieldsV1: `${MACHINERY}apis.meta.v1.FieldsV1`,
  JSON: `${EXTENSIONS}JSON`, JSONSchemaPropsOrArray: `${EXTENSIONS}JSONSchemaPropsOrArray`, JSONSchemaPropsOrBool: `${EXTENSIONS}JSONSchemaPropsOrBool`,
  JSONSchemaPropsOrStringArray: `${EXTENSIONS}JSONSchemaPropsOrStringArray`,
};

/** The definition of such a type, undefined for types written inline. */
export const specialDefinitionOf = (scalar: Scalar): string | undefined => NAMES[scalar];

type Schema = Record<string, unknown>;
const both = (schema: Schema): Record<2 | 3, Schema> => ({ 2: schema, 3: schema });

/** By definition name, for OpenAPI 2 and 3. */
export const SPECIAL_DEFINITIONS: Readonly<Record<string, Record<2 | 3, Schema>>> = {
  [NAMES.Quantity!]: {
    2: { description: "Quantity is a fixed-point number with a unit suffix, such as 100m, 1.5Gi or 12e6.", type: "string" },
    3: { description: "Quantity is a fixed-point number with a unit suffix, such as 100m, 1.5Gi or 12e6.", oneOf: [{ type: "string" }, { type: "number" }] },
  },
  [NAMES.IntOrString!]: {
    2: { description: "IntOrString holds an int32 or a string.", type: "string", format: "int-or-string" },
    3: { description: "IntOrString holds an int32 or a string.", format: "int-or-string", oneOf: [{ type: "integer" }, { type: "string" }] },
  },
  [NAMES.RawExtension!]: both({ description: "RawExtension holds an object of a kind this schema does not know.", type: "object" }),
  [NAMES.Time!]: both({ description: "Time is a point in time with a precision of seconds, as RFC 3339 writes it.", type: "string", format: "date-time" }),
  [NAMES.MicroTime!]: both({ description: "MicroTime is a point in time with a precision of microseconds, as RFC 3339 writes it.", type: "string", format: "date-time" }),
  [NAMES.FieldsV1!]: both({ description: "FieldsV1 holds a set of fields as a tree: keys are path elements, such as f:name, k:{\"name\":\"web\"} or v:1.", type: "object" }),
  [`${MACHINERY}apis.meta.v1.Patch`]: both({ description: "Patch is the body of a PATCH request.", type: "object" }),
  [NAMES.JSON!]: both({ description: "JSON is any JSON value: boolean, integer, number, string, array, object or null." }),
  [NAMES.JSONSchemaPropsOrArray!]: both({ description: "JSONSchemaPropsOrArray is a schema or a list of schemas." }),
  [NAMES.JSONSchemaPropsOrBool!]: both({ description: "JSONSchemaPropsOrBool is a schema or a boolean." }),
  [NAMES.JSONSchemaPropsOrStringArray!]: both({ description: "JSONSchemaPropsOrStringArray is a schema or a list of strings." }),
};
