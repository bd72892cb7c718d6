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
import { compareObjects, type Comparison } from "./compare.ts";
import { applyConflict, type Conflicts } from "./conflicts.ts";
import { difference, EMPTY_SET, hasPath, intersection, isEmptySet, pathsOf, union, withoutSubtrees, type FieldSet } from "./field-set.ts";
import { allowedByLastApplied, lastAppliedText, LAST_APPLIED } from "./last-applied.ts";
import { identityOf, mapFields, readManagers, writeManagers, type Managers } from "./managers.ts";
import { mergeObjects } from "./merge.ts";
import { removeFields } from "./remove-fields.ts";
import { resetFields, UNTRACKED } from "./reset-fields.ts";
import { ItemError, shapeOf, type StructShape } from "./shape.ts";
import { fieldSetOf, withNamedFields } from "./to-field-set.ts";
import { emptyWire, giveChanges, managedFieldsOf, timestamp, trackedWire, type TrackedWrite } from "./track-update.ts";
import { appliedErrors } from "./validate-applied.ts";

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
function managersBefore(write: ApplyWrite, shape: StructShape, live: JsonMap): Managers {
  const managers = readManagers(managedFieldsOf(write.live));
  if (managers === undefined) throw serverError("failed to decode managed fields: operation must be `Apply` or `Update`");
  if (managers.size > 0 || write.live === undefined) return managers;
  return giveChanges(managers, compareObjects(shape, emptyWire(write.model), live), { ...write, manager: "before-first-apply" });
}

/** Takes away what the manager applied last time, not this time, and nobody else owns. */
function prune(shape: StructShape, merged: JsonMap, lastFields: FieldSet, managers: Managers): JsonMap {
  if (isEmptySet(lastFields)) return merged;
  const named = (set: FieldSet): FieldSet => withNamedFields(set, shape), last = named(lastFields), mergedSet = named(fieldSetOf(shape, merged));
  const owned = [...managers.values()].reduce((all, manager) => union(all, manager.fields), EMPTY_SET);
  const pruned = removeFields(shape, merged, last);
  const withOwned = removeFields(shape, merged, difference(mergedSet, union(named(fieldSetOf(shape, pruned)), named(owned))));
  const dangling = intersection(difference(mergedSet, named(fieldSetOf(shape, withOwned))), last);
  return removeFields(shape, merged, dangling);
}

/** Fields others own that the apply would change, by manager. */
function conflictsOf(managers: Managers, self: string, comparison: Comparison): Conflicts {
  const changed = union(comparison.modified, comparison.added);
  return [...managers].filter(([identity]) => identity !== self).sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, manager]) => pathsOf(intersection(manager.fields, changed)).map((path) => ({ manager, path })));
}

interface Merged { readonly object: JsonMap; readonly managers: Managers; readonly conflicts: Conflicts }

function mergeApplied(write: ApplyWrite, shape: StructShape, live: JsonMap, before: Managers): Merged {
  const reset = resetFields(write.subresource, write.hasStatus), self = { name: write.manager, operation: "Apply" as const, apiVersion: write.apiVersion, subresource: write.subresource };
  const identity = identityOf(self), last = before.get(identity), managers: Managers = new Map(before);
  const fields = withoutSubtrees(fieldSetOf(shape, write.applied), reset);
  managers.set(identity, { ...self, time: last?.time, fields });
  const object = prune(shape, mergeObjects(shape, live, write.applied), last?.fields ?? EMPTY_SET, managers);
  const raw = compareObjects(shape, live, object);
  const comparison = { added: withoutSubtrees(raw.added, reset), modified: withoutSubtrees(raw.modified, reset), removed: withoutSubtrees(raw.removed, reset) };
  const lost = union(union(comparison.added, comparison.modified), comparison.removed);
  const after = mapFields(managers, (owned, id) => (id === identity ? difference(owned, UNTRACKED) : difference(owned, lost)));
  return { object, managers: after, conflicts: conflictsOf(managers, identity, comparison) };
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
  if (write.manager === KUBECTL && isMap(annotations) && (annotations[LAST_APPLIED] ?? "") !== "") annotations[LAST_APPLIED] = lastAppliedText(write.applied);
}

/** Applies. Throws StatusError: 400 or 500 for a configuration that does not fit, 409 for conflicts. */
export function applyConfiguration(write: ApplyWrite): ApplyResult {
  const shape = shapeOf(write.model);
  checkApplied(write, shape);
  const live = write.live === undefined ? { kind: write.kind, apiVersion: write.apiVersion, ...emptyWire(write.model) } : trackedWire(write.model, write.live);
  let merged: Merged;
  try { merged = mergeApplied(write, shape, live, managersBefore(write, shape, live)); }
  catch (error) {
    if (error instanceof ItemError) throw serverError(`failed to merge config: ${error.message}`);
    throw error;
  }
  const conflicts = remainingConflicts(write, shape, live, merged.conflicts);
  if (conflicts.length > 0) throw applyConflict(conflicts);
  const changed = !jsonEqual(live, merged.object), object = decodeMerged(write, cloneJson(merged.object));
  syncLastApplied(write, object);
  const self = identityOf({ name: write.manager, operation: "Apply", apiVersion: write.apiVersion, subresource: write.subresource }), entry = merged.managers.get(self);
  if (changed && entry !== undefined) merged.managers.set(self, { ...entry, time: timestamp(write.now) });
  return { object, managedFields: writeManagers(merged.managers), changed };
}
