/**
 * Subresources that are neither the object itself nor a stream: scale, pods/binding, pods/eviction, CSR approval and the like.
 * Counterpart: kubernetes `registry/core/pod/storage`, `registry/apps`, `registry/certificates`.
 */
import { groupResource } from "../../api/reference.ts";
import { resourceSchemaOf } from "../../api/schema/schema.ts";
import { StatusError } from "../../api/status-error.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import type { Resource } from "../registry/resource.ts";
import type { Api } from "./api.ts";
import { createHandlerOf, handleCreateOnly } from "./create-only.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { handleGet, handlePatch, handleUpdate } from "./resource-handlers.ts";
import { handleScale } from "./scale.ts";
import { handleStream } from "./streams.ts";

export function dispatchSubresource(api: Api, request: ApiRequest, resource: Resource): ApiResponse | Promise<ApiResponse> {
  const { subresource, verb } = request.info, { definition } = resource;
  const handler = createHandlerOf(api, definition, subresource);
  if (handler !== undefined) {
    if (verb !== "create") throw methodNotAllowed();
    return handleCreateOnly(api, request, definition, handler);
  }
  const stream = api.streamHandlers.get(`${groupResource(definition)}/${subresource}`);
  if (stream !== undefined) return handleStream(api, request, definition, stream);
  if (resourceSchemaOf(definition)?.subresources[subresource]?.verbs.includes(verb) === false) throw methodNotAllowed();
  if (subresource === "scale") return handleScale(request, resource);
  if (subresource === "status" || definition.subresourceUpdates?.[subresource] !== undefined) return handleObjectSubresource(api, request, resource, subresource);
  throw new StatusError("NotFound", "the server could not find the requested resource", { details: {} });
}

/** Subresources whose body is the object itself. */
async function handleObjectSubresource(api: Api, request: ApiRequest, resource: Resource, subresource: string): Promise<ApiResponse> {
  switch (request.info.verb) {
    case "get": return handleGet(api, request, resource);
    case "update": return handleUpdate(api, request, resource, subresource);
    case "patch": return handlePatch(api, request, resource, subresource);
    default: throw methodNotAllowed();
  }
}
