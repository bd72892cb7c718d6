/**
 * From a request's info to its handler. Counterpart: apiserver `endpoints/installer.go`'s routes, in one place.
 */
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { StatusError } from "../../api/status-error.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import type { RequestInfo } from "../request-info.ts";
import type { Resource } from "../registry/resource.ts";
import type { Api } from "./api.ts";
import { handleComponentStatus } from "./component-status.ts";
import { createHandlerOf, handleCreateOnly } from "./create-only.ts";
import { handleCreate, handleDelete, handleDeleteCollection, handleGet, handleList, handlePatch, handleUpdate, handleWatch } from "./resource-handlers.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { dispatchSubresource } from "./subresources.ts";

export const unknownResource = (): StatusError => new StatusError("NotFound", "the server could not find the requested resource", { details: {} });

type Answer = ApiResponse | Promise<ApiResponse>;

/** Answers a resource request. Throws StatusError. */
export function dispatchResource(api: Api, request: ApiRequest): Answer {
  const { info } = request, key = `${info.apiGroup}/${info.apiVersion}/${info.resource}`;
  const definition = api.definitions.get(key);
  if (definition === undefined) throw unknownResource();
  checkScope(request, definition);
  if (definition.deprecation !== undefined) request.addWarning(definition.deprecation);
  // The name of a namespace stands in its path where others have theirs; authorization wants it so, storage does not.
  if (!definition.namespaced && info.namespace !== "") request.info = { ...info, namespace: "" };
  const resource = api.resources.get(key);
  if (info.subresource !== "") {
    if (resource === undefined || !definition.subresources.includes(info.subresource)) throw unknownResource();
    return dispatchSubresource(api, request, resource);
  }
  if (!definition.verbs.includes(info.verb) || !fitsPath(info)) throw methodNotAllowed();
  return resource === undefined ? dispatchUnstored(api, request, definition) : dispatchVerb(api, request, resource);
}

/** Collections are listed and added to, objects are read and changed. */
function fitsPath({ verb, name }: RequestInfo): boolean {
  if (verb === "create") return name === "";
  return verb !== "update" && verb !== "patch" || name !== "";
}

function dispatchVerb(api: Api, request: ApiRequest, resource: Resource): Answer {
  switch (request.info.verb) {
    case "get": return handleGet(api, request, resource);
    case "list": return handleList(api, request, resource);
    case "watch": return handleWatch(api, request, resource);
    case "create": return handleCreate(api, request, resource);
    case "update": return handleUpdate(api, request, resource);
    case "patch": return handlePatch(api, request, resource);
    case "delete": return handleDelete(api, request, resource);
    case "deletecollection": return handleDeleteCollection(api, request, resource);
    default: throw methodNotAllowed();
  }
}

function dispatchUnstored(api: Api, request: ApiRequest, definition: ResourceDefinition): Answer {
  if (definition.kind === "ComponentStatus") return handleComponentStatus(api, request, definition);
  const handler = request.info.verb === "create" ? createHandlerOf(api, definition, "") : undefined;
  if (handler === undefined) throw methodNotAllowed();
  return handleCreateOnly(api, request, definition, handler);
}

/** Paths with a namespace where none belongs, or without one where one must be. */
function checkScope(request: ApiRequest, definition: ResourceDefinition): void {
  const { info } = request;
  const isNamespaceItself = definition.group === "" && definition.plural === "namespaces";
  if (!definition.namespaced && info.namespace !== "" && !isNamespaceItself) throw unknownResource();
  if (!definition.namespaced || info.namespace !== "") return;
  // All namespaces can be listed and watched, nothing else.
  if (info.verb === "list" || info.verb === "watch") return;
  if (info.verb === "deletecollection" || info.verb === "create") throw methodNotAllowed();
  throw unknownResource();
}
