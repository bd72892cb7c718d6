/**
 * PATCH: JSON patch, merge patch, strategic merge patch; applied to what is stored and tried again when another writer came first.
 * Counterpart: apiserver `endpoints/handlers/patch.go`. Server-side apply is refused by name: it comes with managedFields.
 */
import { applyPatch, PATCH_TYPES } from "../../api/patch/patch.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import { StatusError } from "../../api/status-error.ts";
import type { ApiRequest } from "../http/exchange.ts";
import { bodyType, unsupportedMediaType } from "../negotiate.ts";
import type { Resource, WriteContext } from "../registry/resource.ts";
import { updateObject, type UpdateResult } from "../registry/update.ts";
import { fieldValidation } from "./body.ts";

const APPLY_TYPES = new Set(["application/apply-patch+yaml", "application/apply-patch+cbor"]);
const ACCEPTED = Object.keys(PATCH_TYPES).join(", ");

/** Patches an object or subresource. Throws StatusError. */
export async function patchObject(request: ApiRequest, resource: Resource, subresource: string, context: WriteContext): Promise<UpdateResult> {
  const contentType = bodyType(request), mode = fieldValidation(request), { definition } = resource;
  if (APPLY_TYPES.has(contentType)) throw new StatusError("UnsupportedMediaType", `server-side apply (${contentType}) is not served by this release; accepted media types include: ${ACCEPTED}`);
  const type = PATCH_TYPES[contentType];
  if (type === undefined) throw unsupportedMediaType(ACCEPTED);
  const body = await request.source.readBody();
  return updateObject(resource, {
    namespace: request.info.namespace, name: request.info.name, subresource, patch: true,
    change: (live) => {
      const { object, warnings } = applyPatch<KubeObject>({ type, body, model: definition.model, live: live!, expected: definition, mode });
      for (const text of warnings) request.addWarning(text);
      return object;
    },
  }, context);
}
