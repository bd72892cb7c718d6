/**
 * Subresources that are streams of bytes: exec, attach, port-forward, log, proxy. Here a request becomes a StreamCall for its handler.
 * Counterpart: apiserver `endpoints/handlers/rest.go` ConnectResource.
 */
import { resourceSchemaOf } from "../../api/schema/schema.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { toStatusError } from "./errors.ts";
import type { AdmissionAttributes, StreamCall, StreamHandler } from "../contracts.ts";
import { TAKEN, type ApiRequest, type ApiResponse } from "../http/exchange.ts";
import type { Api } from "./api.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";

function isAllowed(definition: ResourceDefinition, subresource: string, verb: string): boolean {
  const schema = resourceSchemaOf(definition);
  return schema?.subresources[subresource]?.verbs.includes(verb) === true;
}

/** What follows the subresource in the path, as the client wrote it. */
export function restPath(path: string, subresource: string): string {
  const match = new RegExp(`^/(?:api/[^/]+|apis/[^/]+/[^/]+)/(?:namespaces/[^/]+/)?[^/]+/[^/]+/${subresource}(/.*)?$`).exec(path);
  return match?.[1] ?? "";
}

/** Hands the connection to the handler. Errors before it began to answer become a Status. */
export async function handleStream(api: Api, request: ApiRequest, definition: ResourceDefinition, handler: StreamHandler): Promise<ApiResponse> {
  const { info } = request, gone = new AbortController();
  if (!isAllowed(definition, info.subresource, info.verb)) throw methodNotAllowed();
  await admitConnect(api, request, definition);
  request.source.onClose(() => gone.abort());
  const exchange = request.source.raw();
  const call: StreamCall = {
    user: request.user, namespace: info.namespace, name: info.name, method: request.method, url: request.target, restPath: restPath(request.path, info.subresource),
    query: request.query, headers: request.headers, body: exchange.body, upgrade: exchange.upgrade, signal: AbortSignal.any([gone.signal, api.shutdown]),
    respond: (status, headers) => exchange.respond(status, headers),
  };
  try { await handler.serve(call); }
  catch (error) {
    if (!exchange.begun()) throw error;
    // Too late for a Status: the client learns it from the cut.
    if (!gone.signal.aborted) toStatusError(error, request, api.log);
    exchange.abort();
  }
  return TAKEN;
}

async function admitConnect(api: Api, request: ApiRequest, definition: ResourceDefinition): Promise<void> {
  const { info, user } = request;
  if (!api.admission.handles("CONNECT", definition, info.subresource)) return;
  const attributes: AdmissionAttributes = {
    operation: "CONNECT", definition, subresource: info.subresource, namespace: info.namespace, name: info.name, object: undefined, oldObject: undefined,
    user, dryRun: false, addWarning: (text) => request.addWarning(text),
  };
  await api.admission.admit(attributes);
  await api.admission.validate(attributes);
}
