/**
 * PATCH: JSON patch, merge patch, strategic merge patch, and server-side apply; done to what is stored and tried again when
 * another writer came first. Counterpart: apiserver `endpoints/handlers/patch.go`.
 */
import { PATCH_TYPES } from "../../api/patch/patch.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import type { ApiRequest } from "../http/exchange.ts";
import { applyLive, patchLive, readAppliedBody } from "../long-work/long-work.ts";
import { bodyType, unsupportedMediaType } from "../negotiate.ts";
import type { Resource, WriteContext } from "../registry/resource.ts";
import { setManagedFields, trackedWrite } from "../registry/tracked-write.ts";
import { updateObject, type UpdateRequest, type UpdateResult } from "../registry/update.ts";
import type { Api } from "./api.ts";
import { authorizeCreate } from "./authorize-create.ts";
import { APPLY_TYPE, fieldValidation, isForced, writeContext } from "./write-options.ts";

export const ACCEPTED_PATCHES = [...Object.keys(PATCH_TYPES), APPLY_TYPE].join(", ");

type Change = Pick<UpdateRequest, "change" | "tracked" | "allowCreate" | "authorizeCreate">;

/** Patches an object or subresource. Throws StatusError. */
export async function patchObject(api: Api, request: ApiRequest, resource: Resource, subresource: string): Promise<UpdateResult> {
  const contentType = bodyType(request);
  if (contentType !== APPLY_TYPE && !Object.hasOwn(PATCH_TYPES, contentType)) throw unsupportedMediaType(ACCEPTED_PATCHES);
  const context = writeContext(request), body = await request.source.readBody();
  const change = contentType === APPLY_TYPE ? await applying(api, request, resource, subresource, context, body) : patching(request, resource, body);
  return updateObject(resource, { namespace: request.info.namespace, name: request.info.name, subresource, patch: true, ...change }, context);
}

function patching(request: ApiRequest, { definition }: Resource, body: Buffer): Change {
  const type = PATCH_TYPES[bodyType(request)]!, mode = fieldValidation(request);
  return {
    change: async (live) => {
      const { object, warnings } = await patchLive<KubeObject>({ type, body, model: definition.model, live: live!, expected: definition, mode });
      for (const text of warnings) request.addWarning(text);
      object.metadata ??= { name: "" }; // A patch may take it away; what is missing in it is said later.
      return object;
    },
  };
}

async function applying(api: Api, request: ApiRequest, resource: Resource, subresource: string, { fieldManager }: WriteContext, body: Buffer): Promise<Change> {
  const { definition, deps } = resource, { applied, warnings } = await readAppliedBody(body, fieldValidation(request)), force = isForced(request);
  for (const text of warnings) request.addWarning(text);
  return {
    tracked: true, allowCreate: true, authorizeCreate: () => authorizeCreate(api, request),
    change: async (live) => {
      const write = trackedWrite(resource, subresource, fieldManager, deps.clock.now());
      const { object, managedFields } = await applyLive({ ...write, kind: definition.kind, live, applied, force }), made = object as unknown as KubeObject;
      made.metadata ??= { name: "" };
      setManagedFields(made, managedFields);
      return made;
    },
  };
}
