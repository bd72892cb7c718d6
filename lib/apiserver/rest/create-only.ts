/**
 * POSTs that store nothing of their own: reviews, and create-only subresources such as serviceaccounts/token.
 * Counterpart: kubernetes `registry/authentication`, `registry/authorization`, `registry/core/serviceaccount/storage/token.go`.
 */
import type { ExpectedKind } from "../../api/decode/decode.ts";
import { groupResource, type ResourceReference } from "../../api/reference.ts";
import type { ResourceDefinition } from "../../api/resource-definition.ts";
import { modelOf, resourceSchemaOf } from "../../api/schema/schema.ts";
import { badRequest, notFound } from "../../api/status-error.ts";
import type { AdmissionAttributes, CreateHandler } from "../contracts.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { negotiate } from "../negotiate.ts";
import { objectKey } from "../registry/keys.ts";
import type { Api } from "./api.ts";
import { readObject } from "./body.ts";
import { valueResponse } from "./encode.ts";
import { writeContext } from "./write-options.ts";

/** Versions upstream still takes though it serves them no more: kubectl before 1.22 drains with the first. */
const ALIKE: Readonly<Record<string, readonly string[]>> = { "pods/eviction": ["v1beta1"] };

/** The kind a subresource's body has, where the schema names one. */
function bodyOf(definition: ResourceDefinition, subresource: string): { reference: ResourceReference & ExpectedKind; model: string } {
  if (subresource === "") return { reference: definition, model: definition.model };
  const schema = resourceSchemaOf(definition);
  const model = schema?.subresources[subresource]?.model ?? "";
  const { goName, definition: qualified } = modelOf(model);
  // `io.k8s.api.authentication.v1.TokenRequest`: group and version of the body.
  const [group = "", version = ""] = qualified.split(".").slice(-3);
  const full = { core: "", authentication: "authentication.k8s.io", policy: "policy", autoscaling: "autoscaling" }[group] ?? group;
  const alike = ALIKE[`${definition.plural}/${subresource}`];
  return { reference: { group: full, version, kind: goName, plural: "", namespaced: definition.namespaced, ...(alike === undefined ? {} : { alike }) }, model };
}

/** Answers with what the handler makes of the body. Throws StatusError. */
export async function handleCreateOnly(api: Api, request: ApiRequest, definition: ResourceDefinition, handler: CreateHandler): Promise<ApiResponse> {
  const { info } = request, { subresource } = info, negotiated = negotiate(request, []), context = writeContext(request);
  if (subresource !== "") {
    const cache = api.cache.cacheOf(definition);
    if (!cache.has(objectKey(cache.prefix, info.namespace, info.name))) throw notFound(definition, info.name);
  }
  const { reference, model } = bodyOf(definition, subresource), object = await readObject(request, reference, model);
  const named = object.metadata.namespace ?? "";
  if (named !== "" && named !== info.namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (definition.namespaced) object.metadata.namespace = info.namespace;
  const name = subresource === "" ? object.metadata.name ?? "" : info.name;
  const attributes: AdmissionAttributes = {
    operation: "CREATE", definition, subresource, namespace: info.namespace, name, object, oldObject: undefined,
    user: request.user, dryRun: context.dryRun, addWarning: context.addWarning,
  };
  if (api.admission.handles("CREATE", definition, subresource)) {
    await api.admission.admit(attributes);
    await api.admission.validate(attributes);
  }
  const result = await handler(object, { user: request.user, namespace: info.namespace, name, dryRun: context.dryRun, addWarning: context.addWarning });
  return valueResponse(result, negotiated, 201);
}

export const createHandlerOf = (api: Api, definition: ResourceDefinition, subresource: string): CreateHandler | undefined =>
  api.createHandlers.get(subresource === "" ? groupResource(definition) : `${groupResource(definition)}/${subresource}`);
