/** Changing an object. Counterpart: apiserver `registry/rest/update.go` and `registry/generic/registry/store.go` Update. */
import { isDeepStrictEqual } from "node:util";
import { invalid, invalidError, type FieldError } from "../../api/field-error.ts";
import type { KubeObject } from "../../api/resource-definition.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { badRequest, conflict, hasReason, notFound } from "../../api/status-error.ts";
import { validateObjectMetaUpdate } from "../../api/validation/object-meta.ts";
import { RevisionConflictError } from "../../storage/store.ts";
import { Turns } from "../../util/turns.ts";
import type { AdmissionAttributes, UserInfo, WriteTransaction } from "../contracts.ts";
import type { Entry } from "../cache/entry.ts";
import { checkNamespace, createObject } from "./create.ts";
import type { Resource, WriteContext } from "./resource.ts";
import { keepTimes, ownersAreKept, track } from "./tracked-write.ts";

export interface UpdateRequest {
  readonly namespace: string;
  readonly name: string;
  /** "" for the object itself, "status", or one of definition.subresourceUpdates. */
  readonly subresource: string;
  /** Makes the new object, which this module may then change. Called again when another writer came first. `old` is frozen by convention. */
  readonly change: (old: KubeObject | undefined, entry: Entry | undefined) => KubeObject | Promise<KubeObject>;
  /** A patch: it starts from what is stored, so a conflict is tried again, and no resourceVersion need be sent. */
  readonly patch: boolean;
  /** Checked against what is stored, before anything else. */
  readonly check?: (old: KubeObject) => void;
  /** What `change` makes has the managedFields it should have: as it is after an apply. */
  readonly tracked?: boolean;
  /** Creates what does not exist, as an apply does, whatever the kind. */
  readonly allowCreate?: boolean;
  /** Asked before a missing object is created. Throws Forbidden. */
  readonly authorizeCreate?: () => void;
}

export interface UpdateResult { readonly entry: Entry; readonly created: boolean }

export const MODIFIED = "the object has been modified; please apply your changes to the latest version and try again";
const TRIES_MAX = 20, PATCH_TRIES_MAX = 5;

/** Updates by PUT or PATCH. Throws StatusError. */
export async function updateObject(resource: Resource, request: UpdateRequest, context: WriteContext): Promise<UpdateResult> {
  const { definition } = resource, key = resource.key(request.namespace, request.name);
  for (let tries = 1; ; tries++) {
    const stored = resource.cache.get(key);
    if (stored === undefined) {
      try { return await createByUpdate(resource, request, context); }
      catch (error) {
        // Another writer came first: there is something to apply to.
        if (request.allowCreate !== true || !hasReason(error, "AlreadyExists") || tries === PATCH_TRIES_MAX) throw error;
        continue;
      }
    }
    const old = resource.peek(stored);
    request.check?.(old);
    const turns = new Turns(), object = await request.change(old, stored);
    if (turns.isLong) await turns.pause();
    checkNames(object, request);
    const conditional = settleVersion(resource, object, stored, request);
    try { return { entry: await applyUpdate(resource, object, old, stored, request, context), created: false }; }
    catch (error) {
      if (!(error instanceof RevisionConflictError)) throw error;
      if (conditional || tries >= (request.patch ? PATCH_TRIES_MAX : TRIES_MAX)) throw conflict(definition, request.name, MODIFIED);
    }
  }
}

async function createByUpdate(resource: Resource, request: UpdateRequest, context: WriteContext): Promise<UpdateResult> {
  const { definition } = resource;
  if (request.subresource !== "" || request.allowCreate !== true && (request.patch || !definition.allowCreateOnUpdate)) throw notFound(definition, request.name);
  request.authorizeCreate?.();
  const object = await request.change(undefined, undefined), { uid } = object.metadata;
  if (uid !== undefined && uid !== "") {
    throw conflict(definition, request.name, request.patch ? `uid mismatch: the provided object specified uid ${uid}, and no existing object was found` : wrongUid(resource.key(request.namespace, request.name), uid, ""));
  }
  checkNames(object, request);
  delete object.metadata.resourceVersion;
  return { entry: await createObject(resource, object, request.namespace, context, request.tracked), created: true };
}

function checkNames(object: KubeObject, request: UpdateRequest): void {
  const { name } = object.metadata;
  if (name === undefined || name === "") throw badRequest(`the name of the object (${request.name} based on URL) was undeterminable: name must be provided`);
  if (name !== request.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${request.name})`);
  checkNamespace(object, request.namespace);
}

/** Holds the object's resourceVersion and uid against what is stored. Returns whether the client named a version of its own. */
function settleVersion(resource: Resource, object: KubeObject, stored: Entry, request: UpdateRequest): boolean {
  const { definition } = resource, meta = object.metadata, version = meta.resourceVersion;
  const named = version !== undefined && version !== "" && version !== "0";
  if (!named && !request.patch && !definition.allowUnconditionalUpdate && request.subresource === "") {
    throw invalidError(definition.group, definition.kind, request.name, [invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
  }
  if (named && version !== String(stored.revision)) {
    if (!/^\d+$/.test(version)) throw badRequest(`invalid resource version ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`);
    throw conflict(definition, request.name, MODIFIED);
  }
  meta.resourceVersion = String(stored.revision);
  return named && !request.patch;
}

const wrongUid = (key: string, asked: string, found: string): string =>
  `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked}, UID in object meta: ${found}`;

/** What no update changes, however it comes. */
function keepBookkeeping(object: KubeObject, old: KubeObject, resource: Resource, stored: Entry): void {
  const meta = object.metadata, before = old.metadata;
  if (meta.uid !== undefined && meta.uid !== "" && meta.uid !== before.uid) {
    throw conflict(resource.definition, before.name!, wrongUid(stored.key, meta.uid, before.uid!));
  }
  meta.name = before.name!;
  if (before.namespace !== undefined) meta.namespace = before.namespace;
  meta.uid = before.uid;
  if (meta.creationTimestamp === undefined || meta.creationTimestamp === null) meta.creationTimestamp = before.creationTimestamp;
  if (before.generateName !== undefined) meta.generateName = before.generateName;
  if (before.deletionTimestamp !== undefined) meta.deletionTimestamp = before.deletionTimestamp;
  else delete meta.deletionTimestamp;
  if (before.deletionGracePeriodSeconds !== undefined) meta.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds;
  else delete meta.deletionGracePeriodSeconds;
  if (before.generation === undefined) delete meta.generation;
  else meta.generation = before.generation;
  delete meta.selfLink;
}

type Fields = Record<string, unknown>;
const OWN_FIELDS = new Set(["kind", "apiVersion", "metadata", "status"]);

/** Puts into `object` what this door does not let through. */
function prepare(resource: Resource, object: KubeObject, old: KubeObject, subresource: string, now: Date, user: UserInfo): void {
  const { definition } = resource, strategy = { now, user: user.name, userInfo: user };
  if (subresource === "") {
    if (definition.subresources.includes("status")) copyField(object, old, "status");
    definition.prepareForUpdate?.(object, old, strategy);
  } else if (subresource === "status") {
    if (definition.prepareForStatusUpdate !== undefined) return definition.prepareForStatusUpdate(object, old, strategy);
    for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) if (!OWN_FIELDS.has(field)) copyField(object, old, field);
    copyField(object.metadata, old.metadata, "labels");
  } else definition.subresourceUpdates?.[subresource]?.prepare(object, old, strategy);
}

function copyField(to: object, from: object, field: string): void {
  const value = (from as Fields)[field];
  if (value === undefined) delete (to as Fields)[field];
  else (to as Fields)[field] = value;
}

/** By default: whether anything but metadata and status differs. */
function generationChanged(object: KubeObject, old: KubeObject): boolean {
  for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (!OWN_FIELDS.has(field) && !semanticEqual((object as unknown as Fields)[field], (old as unknown as Fields)[field], field)) return true;
  }
  return false;
}

function validate(resource: Resource, object: KubeObject, old: KubeObject, subresource: string): FieldError[] {
  const { definition } = resource, errors = validateObjectMetaUpdate(object.metadata, old.metadata);
  if (subresource === "") errors.push(...(definition.validateUpdate?.(object, old) ?? definition.validate?.(object) ?? []));
  else if (subresource === "status") errors.push(...(definition.validateStatusUpdate?.(object, old) ?? []));
  else errors.push(...(definition.subresourceUpdates?.[subresource]?.validate(object, old) ?? []));
  return errors;
}

async function applyUpdate(resource: Resource, object: KubeObject, old: KubeObject, stored: Entry, request: UpdateRequest, context: WriteContext): Promise<Entry> {
  const { definition, deps } = resource, { admission } = deps, { subresource } = request, now = deps.clock.now(), turns = new Turns();
  definition.defaults?.(object);
  const tracking = request.tracked === true ? undefined : track(resource, object, old, subresource, context.fieldManager, now);
  if (tracking !== undefined) await tracking;
  else if (turns.isLong) await turns.pause();
  keepBookkeeping(object, old, resource, stored);
  prepare(resource, object, old, subresource, now, context.user);
  const attributes: AdmissionAttributes = {
    operation: "UPDATE", definition, subresource, namespace: request.namespace, name: request.name, object, oldObject: old,
    user: context.user, dryRun: context.dryRun, addWarning: context.addWarning,
  };
  const admitted = admission.handles("UPDATE", definition, subresource);
  if (admitted) {
    await admission.admit(attributes);
    definition.defaults?.(object);
  }
  if (definition.hasGeneration && subresource !== "status" && (definition.generationChanged?.(object, old) ?? generationChanged(object, old))) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
  const transactions: WriteTransaction[] = [];
  let succeeded = false;
  try {
    for (const hook of resource.hooks) if (subresource === "" && hook.beginUpdate !== undefined) transactions.push(await hook.beginUpdate(object, old, context.dryRun));
    if (turns.isLong) await turns.pause();
    const errors = validate(resource, object, old, subresource);
    if (errors.length > 0) throw invalidError(definition.group, definition.kind, request.name, errors);
    if (admitted) await admission.validate(attributes);
    for (const text of definition.warnings?.(object, old) ?? []) context.addWarning(text);
    if (turns.isLong) await turns.pause();
    const entry = await write(resource, object, old, stored, context, turns);
    succeeded = true;
    return entry;
  } finally { for (const transaction of transactions) transaction.finish(succeeded); }
}

/** Nothing left to wait for: the update took the last finalizer of an object whose time is over. */
export function isDeletedByUpdate(object: KubeObject, old: KubeObject): boolean {
  if ((object.metadata.finalizers ?? []).length > 0 || old.metadata.deletionGracePeriodSeconds !== 0) return false;
  const holders = object.kind === "Namespace" ? (object as { spec?: { finalizers?: string[] } }).spec?.finalizers : undefined;
  return (holders ?? []).length === 0;
}

async function write(resource: Resource, object: KubeObject, old: KubeObject, stored: Entry, context: WriteContext, turns: Turns): Promise<Entry> {
  if (ownersAreKept(object, old)) {
    if (turns.isLong) await turns.pause();
    keepTimes(object, old);
  }
  if (turns.isLong) await turns.pause();
  const form = resource.storedForm(object), next = resource.preview(form, stored.revision);
  if (turns.isLong) await turns.pause();
  if (isDeletedByUpdate(object, old)) {
    if (!context.dryRun) await resource.remove(stored);
    return next;
  }
  if (sameValue(next, stored)) return stored;
  return context.dryRun ? next : resource.put(form, stored.revision);
}

/** Same bytes, or the same value in another order of fields. */
function sameValue(a: Entry, b: Entry): boolean {
  if (a.value.length !== b.value.length) return false;
  return a.value.equals(b.value) || isDeepStrictEqual(JSON.parse(a.value.toString()), JSON.parse(b.value.toString()));
}
