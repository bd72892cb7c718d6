/** The scale subresource: how many replicas, whatever the kind. Counterpart: kubernetes `registry/apps` ScaleREST. */
import { ageColumn, column, nameColumn } from "../../api/columns.ts";
import { formatSelector, selectorFromObject, selectorFromSet } from "../../api/helpers/label-selector.ts";
import { invalid, invalidError } from "../../api/field-error.ts";
import { applyConfiguration } from "../../api/managed-fields/apply.ts";
import { readApplied } from "../../api/managed-fields/applied-body.ts";
import { parentEntries, pathOfField, SCALE_VERSION, scaleEntries } from "../../api/managed-fields/scale-fields.ts";
import { trackUpdate, type TrackedWrite } from "../../api/managed-fields/track-update.ts";
import { applyPatch, PATCH_TYPES } from "../../api/patch/patch.ts";
import type { ResourceReference } from "../../api/reference.ts";
import type { Column, KubeObject, ScaleDefinition } from "../../api/resource-definition.ts";
import type { Scale } from "../../api/schema/generated/models.ts";
import { badRequest, conflict } from "../../api/status-error.ts";
import type { Entry } from "../cache/entry.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { bodyType, unsupportedMediaType, type Negotiated } from "../negotiate.ts";
import type { Resource, WriteContext } from "../registry/resource.ts";
import { setManagedFields } from "../registry/tracked-write.ts";
import { MODIFIED, updateObject } from "../registry/update.ts";
import { bodyFormat, decodeBytes } from "./body.ts";
import { valueResponse } from "./encode.ts";
import { methodNotAllowed } from "./method-not-allowed.ts";
import { ACCEPTED_PATCHES } from "./patch.ts";
import { negotiateObject } from "./resource-handlers.ts";
import { partialObject, valueTable } from "./table.ts";
import { APPLY_TYPE, fieldValidation, isForced, writeContext } from "./write-options.ts";

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
  const replicas = scale.spec?.replicas ?? 0, { resourceVersion: version, uid } = scale.metadata, storedUid = resource.peek(stored).metadata.uid;
  if (scale.metadata.name !== undefined && scale.metadata.name !== "" && scale.metadata.name !== name) throw badRequest(`the name of the object (${scale.metadata.name}) does not match the name on the URL (${name})`);
  if (replicas < 0) throw invalidError("autoscaling", "Scale", name, [invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
  if (uid !== undefined && uid !== "" && uid !== storedUid) throw conflict(resource.definition, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${storedUid}`);
  if (version !== undefined && version !== "" && version !== String(stored.revision)) throw conflict(resource.definition, name, MODIFIED);
}

const COLUMNS: readonly Column<KubeObject>[] = [
  nameColumn,
  column("Desired", (scale: KubeObject) => (scale as Scale).spec?.replicas ?? 0, { type: "integer", description: "Replicas that should run." }),
  column("Available", (scale: KubeObject) => (scale as Scale).status?.replicas ?? 0, { type: "integer", description: "Replicas that were counted last." }),
  ageColumn,
];

function scaleResponse(scale: Scale, negotiated: Negotiated, now: Date): ApiResponse {
  const { resourceVersion } = scale.metadata;
  switch (negotiated.as) {
    case undefined: return valueResponse(scale, negotiated);
    case "Table": return valueResponse(valueTable({ columns: COLUMNS }, [scale], negotiated, now, resourceVersion === undefined ? {} : { resourceVersion }), negotiated);
    case "PartialObjectMetadata": case "PartialObjectMetadataList": return valueResponse(partialObject(scale, negotiated), negotiated);
  }
}

/** Makes the wanted Scale, with its managedFields, of the one there is. */
type ScaleChange = (live: Scale) => Scale;

/** GET, PUT and PATCH of the subresource. Throws StatusError. */
export async function handleScale(request: ApiRequest, resource: Resource): Promise<ApiResponse> {
  const { verb, namespace, name } = request.info, paths = resource.definition.scale ?? DEFAULT_PATHS, negotiated = negotiateObject(request), now = resource.deps.clock.now();
  if (verb === "get") return scaleResponse(scaleOf(resource.peek(resource.find(namespace, name)), paths), negotiated, now);
  if (verb !== "update" && verb !== "patch") throw methodNotAllowed();
  const context = writeContext(request), replicas = pathOfField(paths.specReplicasPath);
  const wanted = verb === "update" ? await readScale(request, context, now) : await readScalePatch(request, context, now);
  const { entry } = await updateObject(resource, {
    namespace, name, subresource: "", patch: true, tracked: true,
    change: (_old, stored) => {
      const object = resource.decode(stored!), live = scaleOf(object, paths), { managedFields } = object.metadata;
      setManagedFields(live, scaleEntries(managedFields, replicas));
      const scale = wanted(live);
      checkScale(scale, name, stored!, resource);
      put(object, paths.specReplicasPath, scale.spec?.replicas ?? 0);
      setManagedFields(object, parentEntries(managedFields, scale.metadata.managedFields, replicas, resource.codec.apiVersion));
      return object;
    },
  }, context);
  return scaleResponse(scaleOf(resource.decode(entry), paths), negotiated, now);
}

const scaleWrite = ({ fieldManager }: WriteContext, now: Date): TrackedWrite =>
  ({ model: "Scale", apiVersion: SCALE_VERSION, resource: "scale", subresource: "scale", hasStatus: true, manager: fieldManager, now });

/** An update of a Scale; its managers follow from what changes. */
const tracked = (context: WriteContext, now: Date, change: ScaleChange): ScaleChange => (live) => {
  const scale = structuredClone(change(live));
  setManagedFields(scale, trackUpdate({ ...scaleWrite(context, now), live, object: scale }));
  return scale;
};

async function readScale(request: ApiRequest, context: WriteContext, now: Date): Promise<ScaleChange> {
  const format = bodyFormat(request), scale = await decodeBytes<Scale>(request, await request.source.readBody(), format, fieldValidation(request), SCALE, "Scale");
  return tracked(context, now, () => scale);
}

async function readScalePatch(request: ApiRequest, context: WriteContext, now: Date): Promise<ScaleChange> {
  const contentType = bodyType(request), type = Object.hasOwn(PATCH_TYPES, contentType) ? PATCH_TYPES[contentType] : undefined, mode = fieldValidation(request);
  if (type === undefined && contentType !== APPLY_TYPE) throw unsupportedMediaType(ACCEPTED_PATCHES);
  const body = await request.source.readBody();
  if (type === undefined) return applied(request, body, context, now);
  return tracked(context, now, (live) => {
    const { object, warnings } = applyPatch<Scale>({ type, body, model: "Scale", live, expected: SCALE, mode });
    for (const text of warnings) request.addWarning(text);
    return object;
  });
}

function applied(request: ApiRequest, body: Buffer, context: WriteContext, now: Date): ScaleChange {
  const { applied: configuration, warnings } = readApplied(body, fieldValidation(request)), force = isForced(request);
  for (const text of warnings) request.addWarning(text);
  return (live) => {
    const { object, managedFields } = applyConfiguration({ ...scaleWrite(context, now), kind: SCALE.kind, live, applied: configuration, force }), scale = object as unknown as Scale;
    setManagedFields(scale, managedFields);
    return scale;
  };
}
