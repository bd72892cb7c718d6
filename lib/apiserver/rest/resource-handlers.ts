/**
 * The verbs of a resource over HTTP: each reads the request, calls the registry and encodes the answer.
 * Counterpart: apiserver `endpoints/installer.go` and `endpoints/handlers`.
 */
import { StatusError, badRequest } from "../../api/status-error.ts";
import type { DeleteOptions, Status } from "../../api/schema/generated/models.ts";
import type { Entry } from "../cache/entry.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { negotiate, type Negotiated } from "../negotiate.ts";
import { createObject } from "../registry/create.ts";
import { deleteObject } from "../registry/delete.ts";
import type { Resource, WriteContext } from "../registry/resource.ts";
import { updateObject } from "../registry/update.ts";
import { bodyFormat, decodeBytes, readDeleteOptions, readObject } from "./body.ts";
import { entryResponse, listResponse, valueResponse } from "./encode.ts";
import { parseVersion, readListOptions, type ListOptions } from "./list-options.ts";
import { authorizeCreate } from "./authorize-create.ts";
import { listPage, reach } from "./list.ts";
import { patchObject } from "./patch.ts";
import type { Api } from "./api.ts";
import { includeObjectOf, listTable, objectTable, partialForm, partialList, partialObject, tableForm } from "./table.ts";
import { plainForm, watchResponse, type WatchForm } from "./watch.ts";
import { fieldValidation, writeContext } from "./write-options.ts";

const OBJECT_TRANSFORMS = ["Table", "PartialObjectMetadata"] as const, LIST_TRANSFORMS = ["Table", "PartialObjectMetadataList"] as const;
/** Kinds whose DELETE answers with the deleted object; the others answer with a Status. */
const RETURNS_DELETED = new Set([
  "persistentvolumeclaims", "pods", "podtemplates", "resourcequotas", "services", "serviceaccounts", "persistentvolumes",
  "deviceclasses.resource.k8s.io", "resourceclaims.resource.k8s.io", "resourceclaimtemplates.resource.k8s.io", "resourceslices.resource.k8s.io",
  "csidrivers.storage.k8s.io", "csinodes.storage.k8s.io", "storageclasses.storage.k8s.io", "volumeattachments.storage.k8s.io", "volumeattributesclasses.storage.k8s.io",
]);
/** Deletions of a collection that are under way together. */
const DELETE_PARALLEL = 32;

/** One object in the form the client wants. */
export function objectResponse(request: ApiRequest, resource: Resource, stored: Entry, negotiated: Negotiated, status = 200): ApiResponse | Promise<ApiResponse> {
  switch (negotiated.as) {
    case undefined: return entryResponse(resource, stored, negotiated, status);
    case "Table": return valueResponse(objectTable(resource, stored, includeObjectOf(request), negotiated), negotiated, status);
    case "PartialObjectMetadata": case "PartialObjectMetadataList": return valueResponse(partialObject(resource.peek(stored), negotiated), negotiated, status);
  }
}

export const negotiateObject = (request: ApiRequest): Negotiated => negotiate(request, OBJECT_TRANSFORMS);

/** The object of the URL. A resourceVersion in the query only asks for an old one to do, or waits for a new one. */
export async function handleGet(api: Api, request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const negotiated = negotiateObject(request);
  const version = request.query.get("resourceVersion") ?? "";
  if (version === "") await api.cache.caughtUp();
  else await reach(api.cache, parseVersion(version));
  return objectResponse(request, resource, resource.find(request.info.namespace, request.info.name), negotiated);
}

export async function handleList(api: Api, request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const negotiated = negotiate(request, LIST_TRANSFORMS), options = readListOptions(request.query, resource, false);
  const { entries, metadata } = await listPage(api.cache, resource, request.info.namespace, options);
  switch (negotiated.as) {
    case undefined: return listResponse(resource, entries, metadata, negotiated);
    case "Table": return listTable(resource, entries, metadata, includeObjectOf(request), negotiated);
    case "PartialObjectMetadata": case "PartialObjectMetadataList": return partialList(resource, entries, metadata, negotiated);
  }
}

export function handleWatch(api: Api, request: ApiRequest, resource: Resource): ApiResponse {
  const negotiated = negotiate(request, [...OBJECT_TRANSFORMS, "PartialObjectMetadataList"]);
  if (negotiated.format !== "json") throw new StatusError("NotAcceptable", "only the following media types are accepted: application/json, application/json;stream=watch");
  const options = readListOptions(request.query, resource, true), { info } = request;
  const named: ListOptions = info.name === "" || options.selector.name !== undefined ? options : { ...options, selector: options.selector.withName(info.name) };
  let form: WatchForm;
  if (negotiated.as === undefined) form = plainForm(resource);
  else form = negotiated.as === "Table" ? tableForm(resource, includeObjectOf(request), negotiated) : partialForm(resource, negotiated);
  return watchResponse({ cache: api.cache, resource, random: api.random, shutdown: api.shutdown }, info.namespace, named, form);
}

export async function handleCreate(_api: Api, request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const negotiated = negotiateObject(request), context = writeContext(request);
  const object = await readObject(request, resource.definition, resource.definition.model);
  const entry = await createObject(resource, object, request.info.namespace, context);
  return objectResponse(request, resource, entry, negotiated, 201);
}

/** PUT of the object or of a subresource with the same body. */
export async function handleUpdate(api: Api, request: ApiRequest, resource: Resource, subresource = ""): Promise<ApiResponse> {
  const negotiated = negotiateObject(request), context = writeContext(request), { definition } = resource;
  const format = bodyFormat(request), mode = fieldValidation(request), bytes = await request.source.readBody();
  const { entry, created } = await updateObject(resource, {
    namespace: request.info.namespace, name: request.info.name, subresource, patch: false, authorizeCreate: () => authorizeCreate(api, request),
    change: () => decodeBytes(request, bytes, format, mode, definition, definition.model),
  }, context);
  return objectResponse(request, resource, entry, negotiated, created ? 201 : 200);
}

export async function handlePatch(api: Api, request: ApiRequest, resource: Resource, subresource = ""): Promise<ApiResponse> {
  const negotiated = negotiateObject(request), { entry, created } = await patchObject(api, request, resource, subresource);
  return objectResponse(request, resource, entry, negotiated, created ? 201 : 200);
}

export async function handleDelete(_api: Api, request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const negotiated = negotiateObject(request), { options, context } = await readDeleteOptions(request), { definition } = resource;
  const { entry, uid, removed } = await deleteObject(resource, request.info.namespace, request.info.name, options, context);
  const qualified = definition.group === "" ? definition.plural : `${definition.plural}.${definition.group}`;
  if (!removed || RETURNS_DELETED.has(qualified)) return objectResponse(request, resource, entry, negotiated, !removed && options.orphanDependents === false ? 202 : 200);
  const status: Status = {
    kind: "Status", apiVersion: "v1", metadata: {}, status: "Success",
    details: { name: entry.name, ...(definition.group === "" ? {} : { group: definition.group }), kind: definition.plural, uid },
  };
  return valueResponse(status, { ...negotiated, as: undefined });
}

/** Deletes everything the query selects and answers with the list of it. */
export async function handleDeleteCollection(api: Api, request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const negotiated = negotiate(request, LIST_TRANSFORMS), { options, context } = await readDeleteOptions(request);
  const { namespace } = request.info, listOptions = readListOptions(request.query, resource, false);
  const { entries, metadata } = await listPage(api.cache, resource, namespace, listOptions);
  await deleteEach(resource, entries, options, context);
  return listResponse(resource, entries, metadata, { ...negotiated, as: undefined });
}

async function deleteEach(resource: Resource, entries: readonly Entry[], options: DeleteOptions, context: WriteContext): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < entries.length) {
      const { namespace, name } = entries[next++]!;
      try { await deleteObject(resource, namespace, name, structuredClone(options), context); }
      catch (error) {
        // Somebody else was faster, or a precondition spares this one.
        if (!(error instanceof StatusError) || error.reason !== "NotFound") throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(DELETE_PARALLEL, entries.length) }, worker));
}

/** Names in the URL that no object can have. */
export function checkUrlName(name: string): void {
  if (name === "." || name === ".." || name.includes("/")) throw badRequest(`invalid name ${JSON.stringify(name)}`);
}
