/** The scale subresource: how many replicas, whatever the kind. Counterpart: kubernetes `registry/apps` ScaleREST. */
import { formatSelector, selectorFromObject, selectorFromSet } from "../../api/helpers/label-selector.ts";
import { invalid, invalidError } from "../../api/field-error.ts";
import { applyPatch, PATCH_TYPES } from "../../api/patch/patch.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { KubeObject, ScaleDefinition } from "../../api/resource-definition.ts";
import type { Scale } from "../../api/schema/generated/models.ts";
import { badRequest, conflict } from "../../api/status-error.ts";
import type { Entry } from "../cache/entry.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { bodyType, negotiate, unsupportedMediaType } from "../negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import { MODIFIED, updateObject } from "../registry/update.ts";
import { bodyFormat, decodeBytes, fieldValidation, writeContext } from "./body.ts";
import { valueResponse } from "./encode.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";

const SCALE: ResourceReference<Scale> = { group: "autoscaling", version: "v1", kind: "Scale", plural: "", namespaced: true };
const DEFAULT_PATHS: ScaleDefinition = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".spec.selector" };
type Json = Record<string, unknown>;

function at(object: unknown, path: string): unknown {
  let value = object;
  for (const key of path.split(".").slice(1)) value = (value as Json | undefined)?.[key];
  return value;
}

function put(object: object, path: string, value: unknown): void {
  const keys = path.split(".").slice(1), last = keys.pop()!;
  let holder = object as Json;
  for (const key of keys) holder = (holder[key] ??= {}) as Json;
  holder[last] = value;
}

/** A selector object or a plain set, as text. */
function selectorText(selector: unknown): string {
  if (selector === undefined || selector === null) return "";
  if (typeof selector === "string") return selector;
  const { matchLabels, matchExpressions } = selector as { matchLabels?: Record<string, string>; matchExpressions?: [] };
  return formatSelector(matchLabels !== undefined || matchExpressions !== undefined ? selectorFromObject(selector) : selectorFromSet(selector as Record<string, string>));
}

/** The Scale of an object. */
export function scaleOf(object: KubeObject, paths: ScaleDefinition = DEFAULT_PATHS): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = at(object, paths.specReplicasPath) as number | undefined, selector = selectorText(at(object, paths.labelSelectorPath));
  return {
    kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: replicas === undefined || replicas === 0 ? {} : { replicas },
    status: { replicas: (at(object, paths.statusReplicasPath) as number | undefined) ?? 0, ...(selector === "" ? {} : { selector }) },
  };
}

function checkScale(scale: Scale, name: string, stored: Entry, resource: Resource): void {
  const replicas = scale.spec?.replicas ?? 0, version = scale.metadata.resourceVersion;
  if (scale.metadata.name !== undefined && scale.metadata.name !== "" && scale.metadata.name !== name) throw badRequest(`the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`);
  if (replicas < 0) throw invalidError("autoscaling", "Scale", name, [invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
  if (version !== undefined && version !== "" && version !== String(stored.revision)) throw conflict(resource.definition, name, MODIFIED);
}

/** GET, PUT and PATCH of the subresource. Throws StatusError. */
export async function handleScale(request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const { verb, namespace, name } = request.info, paths = resource.definition.scale ?? DEFAULT_PATHS, negotiated = negotiate(request, []);
  if (verb === "get") return valueResponse(scaleOf(resource.peek(resource.find(namespace, name)), paths), negotiated);
  if (verb !== "update" && verb !== "patch") throw methodNotAllowed();
  const wanted = verb === "update" ? await readScale(request) : await readScalePatch(request);
  const { entry } = await updateObject(resource, {
    namespace, name, subresource: "", patch: true,
    change: (_old, stored) => {
      const object = resource.decode(stored!), scale = wanted(scaleOf(object, paths));
      checkScale(scale, name, stored!, resource);
      put(object, paths.specReplicasPath, scale.spec?.replicas ?? 0);
      return object;
    },
  }, writeContext(request));
  return valueResponse(scaleOf(resource.decode(entry), paths), negotiated);
}

async function readScale(request: ApiRequest): Promise<(live: Scale) => Scale> {
  const format = bodyFormat(request), scale = decodeBytes<Scale>(request, await request.source.readBody(), format, fieldValidation(request), SCALE, "Scale");
  return () => scale;
}

async function readScalePatch(request: ApiRequest): Promise<(live: Scale) => Scale> {
  const type = PATCH_TYPES[bodyType(request)], mode = fieldValidation(request);
  if (type === undefined) throw unsupportedMediaType(Object.keys(PATCH_TYPES).join(", "));
  const body = await request.source.readBody();
  return (live) => {
    const { object, warnings } = applyPatch<Scale>({ type, body, model: "Scale", live, expected: SCALE, mode });
    for (const text of warnings) request.addWarning(text);
    return object;
  };
}
