/**
 * OpenAPI v3: an index, and one document a group and version. kubectl reads it for explain, apply and diff.
 * Pure: callers cache what is built. Counterpart: kube-openapi `builder3` and `handler3`.
 */
import { createHash } from "node:crypto";
import type { ResourceDefinition } from "../resource-definition.ts";
import type { Descriptions } from "../schema/descriptions.ts";
import { definitionName, definitionsFor, refTo, type Json } from "./definitions.ts";
import { idPrefix, modelsOf, pathsOf, rootPath, tagOf, type Operation, type PathOperations } from "./operations.ts";
import { PATH_PARAMETERS, QUERY_PARAMETERS } from "./parameters.ts";

const STATUS_TEXT: Record<number, string> = { 200: "OK", 201: "Created", 202: "Accepted" };
const ANSWER_TYPES = ["application/json", "application/yaml"];
const WATCH_TYPES = ["application/json;stream=watch"];
const PATCH_TYPES = ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json"];

const schemaOf = (model: string): Json => (model === "" ? { type: "string" } : refTo(model === "Patch" ? "io.k8s.apimachinery.pkg.apis.meta.v1.Patch" : definitionName(model), 3));

function contents(types: readonly string[], model: string): Json {
  return Object.fromEntries(types.map((type) => [type, { schema: schemaOf(model) }]));
}

const queryParameter = (name: string): Json => {
  const { type, description } = QUERY_PARAMETERS[name]!;
  return { name, in: "query", description, schema: { type, uniqueItems: true } };
};
const pathParameter = (name: string): Json => ({ name, in: "path", description: PATH_PARAMETERS[name]!, required: true, schema: { type: "string", uniqueItems: true } });

function operationV3(operation: Operation, tag: string): Json {
  const types = operation.answer === "" ? ["text/plain"] : [...ANSWER_TYPES, ...(operation.watchable ? WATCH_TYPES : [])];
  const responses: Json = Object.fromEntries(operation.codes.map((code) => [code, { description: STATUS_TEXT[code]!, content: contents(types, operation.answer) }]));
  responses["401"] = { description: "Unauthorized" };
  return {
    tags: [tag], description: operation.description, operationId: operation.id,
    ...(operation.query.length === 0 ? {} : { parameters: operation.query.map(queryParameter) }),
    ...(operation.body === undefined ? {} : { requestBody: { content: contents(operation.body === "Patch" ? PATCH_TYPES : ["application/json", "application/yaml"], operation.body), required: operation.body !== "DeleteOptions" } }),
    responses, "x-kubernetes-action": operation.action, "x-kubernetes-group-version-kind": operation.gvk,
  };
}

function pathV3({ pathParameters, operations }: PathOperations, tag: string): Json {
  return {
    ...Object.fromEntries(operations.map((operation) => [operation.method, operationV3(operation, tag)])),
    parameters: [...pathParameters.map(pathParameter), queryParameter("pretty")],
  };
}

/** The document of one group and version. `resources` are those of that group and version. */
export function buildOpenapiV3(group: string, version: string, resources: readonly ResourceDefinition[], describe: Descriptions): Json {
  const paths = resources.flatMap(pathsOf).sort((a, b) => (a.path < b.path ? -1 : 1)), tag = tagOf(group, version);
  const discovery = {
    get: {
      tags: [tag], description: "get available resources", operationId: `get${idPrefix(group, version)}APIResources`,
      responses: { 200: { description: "OK", content: contents(ANSWER_TYPES, "APIResourceList") }, 401: { description: "Unauthorized" } },
    },
  };
  return {
    openapi: "3.0.0", info: { title: "Kubernetes", version: "unversioned" },
    paths: { [`${rootPath(group, version)}/`]: discovery, ...Object.fromEntries(paths.map((path) => [path.path, pathV3(path, tag)])) },
    components: {
      schemas: definitionsFor(modelsOf(paths), 3, describe),
      securitySchemes: { BearerToken: { type: "apiKey", in: "header", name: "authorization", description: "Bearer Token authentication" } },
    },
    security: [{ BearerToken: [] }],
  };
}

export interface IndexEntry {
  readonly group: string;
  readonly version: string;
  /** Changes when the document would. */
  readonly fingerprint: string;
}

/** A text that changes when the document of these resources would, without building it. */
export function fingerprintOf(resources: readonly ResourceDefinition[], buildVersion: string): string {
  return JSON.stringify([buildVersion, ...resources.map(({ group, version, plural, model, verbs, subresources }) => [group, version, plural, model, verbs, subresources])]);
}

/** `/openapi/v3`: where each document is, with a hash clients cache by. */
export function buildOpenapiV3Index(entries: readonly IndexEntry[]): Json {
  return {
    paths: Object.fromEntries(entries.map(({ group, version, fingerprint }) => {
      const path = rootPath(group, version).slice(1), hash = createHash("sha512").update(fingerprint).digest("hex").toUpperCase();
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }];
    })),
  };
}
