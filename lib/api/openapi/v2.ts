/**
 * OpenAPI v2: one document of everything, for clients older than kubectl 1.27 and for the tools that still read it.
 * Pure: callers cache what is built. Counterpart: kube-openapi `builder`.
 */
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Descriptions } from "../schema/descriptions.ts";
import { definitionName, definitionsFor, refTo, type Json } from "./definitions.ts";
import { modelsOf, pathsOf, tagOf, type Operation, type PathOperations } from "./operations.ts";
import { PATH_PARAMETERS, QUERY_PARAMETERS } from "./parameters.ts";

const STATUS_TEXT: Record<number, string> = { 200: "OK", 201: "Created", 202: "Accepted" };
const PRODUCES = ["application/json", "application/yaml"];
const PATCH_TYPES = ["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"];

const schemaOf = (model: string): Json => (model === "" ? { type: "string" } : refTo(model === "Patch" ? "io.k8s.apimachinery.pkg.apis.meta.v1.Patch" : definitionName(model), 2));
const queryParameter = (name: string): Json => {
  const { type, description } = QUERY_PARAMETERS[name]!;
  return { uniqueItems: true, type, description, name, in: "query" };
};
const pathParameter = (name: string): Json => ({ uniqueItems: true, type: "string", description: PATH_PARAMETERS[name]!, name, in: "path", required: true });

function operationV2(operation: Operation): Json {
  const body = operation.body === undefined ? [] : [{ name: "body", in: "body", ...(operation.body === "DeleteOptions" ? {} : { required: true }), schema: schemaOf(operation.body) }];
  const responses: Json = Object.fromEntries(operation.codes.map((code) => [code, { description: STATUS_TEXT[code]!, schema: schemaOf(operation.answer) }]));
  responses["401"] = { description: "Unauthorized" };
  return {
    description: operation.description, consumes: operation.body === "Patch" ? PATCH_TYPES : ["*/*"],
    produces: operation.answer === "" ? ["*/*"] : [...PRODUCES, ...(operation.watchable ? ["application/json;stream=watch"] : [])],
    schemes: ["https"], tags: [tagOf(operation.gvk.group, operation.gvk.version)], operationId: operation.id,
    ...(body.length + operation.query.length === 0 ? {} : { parameters: [...body, ...operation.query.map(queryParameter)] }),
    responses, "x-kubernetes-action": operation.action, "x-kubernetes-group-version-kind": operation.gvk,
  };
}

function pathV2({ pathParameters, operations }: PathOperations): Json {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationV2(operation)])),
    parameters: [...pathParameters.map(pathParameter), queryParameter("pretty")],
  };
}

/** The document of all `resources`. `version` is the server's, e.g. "v1.36.0". */
export function buildOpenapiV2(resources: readonly ResourceDefinition[], version: string, describe: Descriptions): Json {
  const paths = resources.flatMap(pathsOf).sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    swagger: "2.0", info: { title: "Kubernetes", version },
    paths: Object.fromEntries(paths.map((path) => [path.path, pathV2(path)])),
    definitions: definitionsFor(modelsOf(paths), 2, describe),
    securityDefinitions: { BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" } },
    security: [{ BearerToken: [] }],
  };
}
