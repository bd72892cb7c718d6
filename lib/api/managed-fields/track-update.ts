/**
 * Ownership after a write that was no apply: create, update, patch. What the write changed becomes the manager's; what it
 * changed is nobody else's any more.
 *
 * Pure. The objects are as `decodeObject` gives them; the caller sets what is returned as metadata.managedFields.
 * Counterpart: apimachinery `util/managedfields` FieldManager.Update.
 */
import { toWire } from "../encode.ts";
import type { JsonMap } from "../patch/json-value.ts";
import type { ManagedFieldsEntry } from "../schema/generated/models.ts";
import { compareObjects, type Comparison } from "./compare.ts";
import { difference, EMPTY_SET, isEmptySet, union, withoutSubtrees, type FieldSet } from "./field-set.ts";
import { asksForReset, capUpdaters, identityOf, mapFields, readManagers, writeManagers, type Managers } from "./managers.ts";
import { resetFields, UNTRACKED } from "./reset-fields.ts";
import { ItemError, shapeOf } from "./shape.ts";

export interface TrackedWrite {
  /** Model of the object, e.g. "Pod". */
  readonly model: string;
  /** "v1", "apps/v1": the version the request spoke. */
  readonly apiVersion: string;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Whether the resource has a status subresource: then writes to the object do not own status. */
  readonly hasStatus: boolean;
  /** See `managerName`. */
  readonly manager: string;
  readonly now: Date;
}
export interface UpdateWrite extends TrackedWrite {
  /** What is stored; undefined for a create. */
  readonly live: object | undefined;
  /** What will be stored. Its metadata.managedFields are what the request asked for. */
  readonly object: object;
}

interface WithMetadata { readonly metadata?: { readonly managedFields?: readonly ManagedFieldsEntry[] | undefined; readonly uid?: string | undefined } | undefined }
export const managedFieldsOf = (object: object | undefined): readonly ManagedFieldsEntry[] | undefined => (object as WithMetadata | undefined)?.metadata?.managedFields;

const emptyWires = new Map<string, JsonMap>();

/** What Go would write of an object nobody has filled in yet. */
export function emptyWire(model: string): JsonMap {
  let wire = emptyWires.get(model);
  if (wire === undefined) emptyWires.set(model, wire = toWire(model, {}));
  return wire;
}

/** The object as Go would write it, without managedFields. */
export function trackedWire(model: string, object: object): JsonMap {
  const wire = toWire(model, object), metadata = wire["metadata"] as JsonMap | undefined;
  if (metadata?.["managedFields"] === undefined) return wire;
  const { managedFields: _, ...rest } = metadata;
  return { ...wire, metadata: rest };
}

export const timestamp = (now: Date): string => `${now.toISOString().slice(0, -5)}Z`;

/** The managers a request starts from: its own, else the stored ones. */
function startingManagers({ live, object, subresource }: UpdateWrite): Managers {
  const stored = (): Managers => readManagers(managedFieldsOf(live)) ?? new Map<string, never>();
  if (subresource !== "") return stored();
  const asked = managedFieldsOf(object);
  if (asksForReset(asked)) return new Map();
  const managers = readManagers(asked);
  return managers === undefined || managers.size === 0 ? stored() : managers;
}

const without = (comparison: Comparison, reset: FieldSet): Comparison => (isEmptySet(reset) ? comparison
  : { added: withoutSubtrees(comparison.added, reset), modified: withoutSubtrees(comparison.modified, reset), removed: withoutSubtrees(comparison.removed, reset) });

/** Takes what changed from everybody, and gives what is new or different to the writer. */
export function giveChanges(managers: Managers, comparison: Comparison, write: TrackedWrite): Managers {
  const { added, modified, removed } = without(comparison, resetFields(write.subresource, write.hasStatus));
  if (isEmptySet(added) && isEmptySet(modified) && isEmptySet(removed)) return managers;
  const changed = union(added, modified), lost = union(changed, removed);
  const result = mapFields(managers, (fields) => difference(fields, lost)), own = difference(changed, UNTRACKED);
  if (isEmptySet(own)) return result;
  const self = { name: write.manager, operation: "Update" as const, apiVersion: write.apiVersion, subresource: write.subresource }, identity = identityOf(self);
  result.set(identity, { ...self, time: timestamp(write.now), fields: union(own, result.get(identity)?.fields ?? EMPTY_SET) });
  return result;
}

/** The managedFields of the written object; undefined when nothing is tracked. */
export function trackUpdate(write: UpdateWrite): ManagedFieldsEntry[] | undefined {
  const managers = startingManagers(write);
  if (managers.size === 0 && (write.live as WithMetadata | undefined)?.metadata?.uid !== undefined) return undefined; // Never tracked: not begun in the middle.
  try {
    const left = write.live === undefined ? emptyWire(write.model) : trackedWire(write.model, write.live);
    const comparison = compareObjects(shapeOf(write.model), left, trackedWire(write.model, write.object));
    return writeManagers(capUpdaters(giveChanges(managers, comparison, write)));
  } catch (error) {
    if (error instanceof ItemError) return undefined; // As upstream: rather none than wrong ones.
    throw error;
  }
}
