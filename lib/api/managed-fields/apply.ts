/**
 * Server-side apply: merges a configuration into the live object, takes away what its manager applied before and no
 * longer does, and refuses to take fields of others unless forced.
 *
 * Pure. The result's object is as `decodeObject` gives it; defaults are the caller's to set again.
 * Counterpart: structured-merge-diff `merge.Updater.Apply`, apimachinery FieldManager.Apply.
 */
import { decodeBare } from "../decode/decode.ts";
import { UnmarshalError } from "../decode/exact.ts";
import { cloneJson, getOwn, goPrint, isMap, jsonEqual, type JsonMap } from "../patch/json-value.ts";
import type { ManagedFieldsEntry } from "../schema/generated/models.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { atOnce } from "../../util/turns.ts";
import { ANNOTATIONS_BYTES_MAX } from "../validation/object-meta.ts";
import { compareObjects } from "./compare.ts";
import { applyConflict, type Conflicts } from "./conflicts.ts";
import { difference, hasPath, intersection, isEmptySet, pathsOf, union } from "./field-set.ts";
import { allowedByLastApplied, lastAppliedText, LAST_APPLIED } from "./last-applied.ts";
import { identityOf, readManagers, writeManagers, type Managers } from "./managers.ts";
import { mergeObjects } from "./merge.ts";
import { prune, type ShownIn } from "./prune.ts";
import { ownable, UNTRACKED } from "./reset-fields.ts";
import { ItemError, shapeOf, type StructShape } from "./shape.ts";
import { fieldSetOf } from "./to-field-set.ts";
import { toTimestamp } from "../helpers/timestamps.ts";
import { changesBetween, emptyWire, filtered, giveChanges, managedFieldsOf, trackedWire, type TrackedWrite } from "./track-update.ts";
import { appliedErrors } from "./validate-applied.ts";
import { changesOf, takeFrom, type Changes } from "./versions.ts";

export interface ApplyWrite extends TrackedWrite {
  readonly kind: string;
  /** What is stored; undefined when nothing is. */
  readonly live: object | undefined;
  /** The configuration as it came, a plain JSON value. */
  readonly applied: JsonMap;
  readonly force: boolean;
}
export interface ApplyResult {
  readonly object: JsonMap;
  readonly managedFields: ManagedFieldsEntry[] | undefined;
  /** False: the configuration changes nothing (but maybe managedFields). */
  readonly changed: boolean;
}

/** The name kubectl applies under: it inherits what client-side apply has written down. */
const KUBECTL = "kubectl";
const serverError = (message: string): StatusError => new StatusError("", message, { code: 500 });

function checkApplied(write: ApplyWrite, shape: StructShape): void {
  const { applied, kind, apiVersion } = write, foundKind = goPrint(getOwn(applied, "kind") ?? ""), foundVersion = goPrint(getOwn(applied, "apiVersion") ?? "");
  if (foundKind !== kind || foundVersion !== apiVersion) {
    throw badRequest(`invalid object type: ${foundVersion.includes("/") ? foundVersion : `/${foundVersion}`}, Kind=${foundKind}`);
  }
  const metadata = isMap(applied["metadata"]) ? applied["metadata"] : {};
  if ((metadata["managedFields"] ?? null) !== null) throw badRequest("metadata.managedFields must be nil");
  const errors = appliedErrors(shape, applied);
  if (errors === undefined) return;
  const name = `${goPrint(metadata["namespace"] ?? "")}/${goPrint(metadata["name"] ?? "")}`;
  throw serverError(`failed to create typed patch object (${name}; ${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}): ${errors}`);
}

/** The managers before the apply; an object nobody tracked is owned by `before-first-apply`. */
function managersBefore(write: ApplyWrite): Managers {
  const managers = readManagers(managedFieldsOf(write.live));
  if (managers === undefined) throw serverError("failed to decode managed fields: operation must be `Apply` or `Update`");
  if (managers.size > 0 || write.live === undefined) return managers;
  const first = { ...write, manager: "before-first-apply" };
  return giveChanges(managers, changesBetween(first, undefined, write.live), first);
}

/** Fields others own that the apply would change, by manager. */
function conflictsOf(managers: Managers, self: string, changes: Changes): Conflicts {
  return [...managers].filter(([identity]) => identity !== self).sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, manager]) => {
    const comparison = changes(manager.apiVersion);
    return comparison === undefined ? [] : pathsOf(intersection(manager.fields, union(comparison.modified, comparison.added))).map((path) => ({ manager, path }));
  });
}

/** Wires of one version shown in another; the same for the same version. */
function shownIn({ model, apiVersion, versions }: ApplyWrite): ShownIn {
  const modelIn = (version: string): string | undefined => (version === apiVersion ? model : versions?.modelOf(version));
  return (version) => {
    const to = modelIn(version);
    if (to === undefined) return undefined;
    return { shape: shapeOf(to), show: (wire, from) => (from === version ? wire : trackedWire(to, versions!.convert(decodeBare(modelIn(from)!, wire).object, from, version))) };
  };
}

interface Merged { readonly object: JsonMap; readonly managers: Managers; readonly conflicts: Conflicts }

function* mergeApplied(write: ApplyWrite, shape: StructShape, live: JsonMap, before: Managers): Generator<void, Merged> {
  const filter = ownable(write), self = { name: write.manager, operation: "Apply" as const, apiVersion: write.apiVersion, subresource: write.subresource };
  const identity = identityOf(self), last = before.get(identity), managers: Managers = new Map(before);
  managers.set(identity, { ...self, time: last?.time, fields: filter(fieldSetOf(shape, write.applied)) });
  yield;
  const merged = mergeObjects(shape, live, write.applied);
  yield;
  const object = prune(merged, write.apiVersion, last, managers, shownIn(write));
  yield;
  const spoken = changesOf({ ...write, wire: trackedWire }, compareObjects(shape, live, object), () => write.live ?? {}, () => decodeBare(write.model, object).object);
  const changes: Changes = (version) => { const found = spoken(version); return found === undefined ? undefined : filtered(found, filter); };
  const conflicts = conflictsOf(managers, identity, changes);
  yield;
  const after = takeFrom(managers, changes, (fields, { added, modified, removed }) => difference(fields, union(union(added, modified), removed)), identity);
  const own = difference(managers.get(identity)!.fields, UNTRACKED);
  if (isEmptySet(own)) after.delete(identity);
  else after.set(identity, { ...managers.get(identity)!, fields: own });
  return { object, managers: after, conflicts };
}

/** Conflicts that stay when kubectl inherits what client-side apply wrote. */
function remainingConflicts(write: ApplyWrite, shape: StructShape, live: JsonMap, conflicts: Conflicts): Conflicts {
  if (write.force) return [];
  if (write.manager !== KUBECTL || conflicts.length === 0) return conflicts;
  const allowed = allowedByLastApplied(shape, live, write.apiVersion);
  return allowed === undefined ? conflicts : conflicts.filter(({ path }) => !hasPath(allowed, path));
}

function decodeMerged(write: ApplyWrite, object: JsonMap): JsonMap {
  try { return decodeBare(write.model, object).object; }
  catch (error) {
    if (!(error instanceof UnmarshalError)) throw error;
    const { kind, apiVersion } = write, metadata = isMap(write.applied["metadata"]) ? write.applied["metadata"] : {};
    throw serverError(`failed to convert new object (${goPrint(metadata["namespace"] ?? "")}/${goPrint(metadata["name"] ?? "")}; ${apiVersion.includes("/") ? apiVersion : `/${apiVersion}`}, Kind=${kind}) to proper version: ${error.message}`);
  }
}

/** With client-side apply's annotation on the object, kubectl's apply keeps it up to date. */
function syncLastApplied(write: ApplyWrite, object: JsonMap): void {
  const metadata = object["metadata"], annotations = isMap(metadata) ? metadata["annotations"] : undefined;
  if (write.manager !== KUBECTL || !isMap(annotations) || (annotations[LAST_APPLIED] ?? "") === "") return;
  annotations[LAST_APPLIED] = lastAppliedText(write.applied);
  const sizeBytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value as string), 0);
  if (sizeBytes > ANNOTATIONS_BYTES_MAX) delete annotations[LAST_APPLIED];
}

/** Applies, in steps a long configuration can be paused between: nothing of what it reads changes meanwhile. Throws StatusError: 400 or 500 for a configuration that does not fit, 409 for conflicts. */
export function* applyInSteps(write: ApplyWrite): Generator<void, ApplyResult> {
  const shape = shapeOf(write.model);
  checkApplied(write, shape);
  yield;
  const live = write.live === undefined ? { kind: write.kind, apiVersion: write.apiVersion, ...emptyWire(write.model) } : trackedWire(write.model, write.live);
  yield;
  let merged: Merged;
  try { merged = yield* mergeApplied(write, shape, live, managersBefore(write)); }
  catch (error) {
    if (error instanceof ItemError) throw serverError(`failed to merge config: ${error.message}`);
    throw error;
  }
  const conflicts = remainingConflicts(write, shape, live, merged.conflicts);
  if (conflicts.length > 0) throw applyConflict(conflicts);
  yield;
  const changed = !jsonEqual(live, merged.object);
  yield;
  const object = decodeMerged(write, cloneJson(merged.object));
  syncLastApplied(write, object);
  const self = identityOf({ name: write.manager, operation: "Apply", apiVersion: write.apiVersion, subresource: write.subresource }), entry = merged.managers.get(self);
  if (changed && entry !== undefined) merged.managers.set(self, { ...entry, time: toTimestamp(write.now) });
  return { object, managedFields: writeManagers(merged.managers), changed };
}

/** Applies at once. Throws as `applyInSteps` does. */
export const applyConfiguration = (write: ApplyWrite): ApplyResult => atOnce(applyInSteps(write));
