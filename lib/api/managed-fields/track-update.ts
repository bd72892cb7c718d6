/**
 * Ownership after a write that was no apply: create, update, patch. What the write changed becomes the manager's; what it
 * changed is nobody else's any more.
 *
 * Pure. The objects are as `decodeObject` gives them; the caller sets what is returned as metadata.managedFields.
 * Counterpart: apimachinery `util/managedfields` FieldManager.Update.
 */
import { toTimestamp } from "../helpers/timestamps.ts";
import { toWire } from "../encode/encode.ts";
import type { JsonMap } from "../patch/json-value.ts";
import type { ManagedFieldsEntry } from "../schema/generated/models.ts";
import { compareObjects, type Comparison } from "./compare.ts";
import { createdFields } from "./created-fields.ts";
import { difference, EMPTY_SET, isEmptySet, union, type FieldSet } from "./field-set.ts";
import { asksForReset, capUpdaters, identityOf, readManagers, writeManagers, type Manager, type Managers } from "./managers.ts";
import { ownable, UNTRACKED, type FieldFilter, type WrittenPart } from "./reset-fields.ts";
import { ItemError, shapeOf } from "./shape.ts";
import { changesOf, takeFrom, type Changes, type Versions } from "./versions.ts";

export interface TrackedWrite extends WrittenPart {
  /** Model of the object, e.g. "Pod". */
  readonly model: string;
  /** "v1", "apps/v1": the version the request spoke. */
  readonly apiVersion: string;
  /** Where the thing is served in several versions. */
  readonly versions?: Versions | undefined;
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

/** The managers a request starts from: its own, else the stored ones. */
function startingManagers({ live, object, subresource }: UpdateWrite): Managers {
  const stored = (): Managers => readManagers(managedFieldsOf(live)) ?? new Map<string, never>();
  if (subresource !== "") return stored();
  const asked = managedFieldsOf(object);
  if (asked === undefined) return stored();
  if (asksForReset(asked)) return new Map();
  const managers = readManagers(asked, true);
  return managers === undefined || managers.size === 0 ? stored() : managers;
}

/** A comparison of which only what can be owned counts. */
export const filtered = ({ added, modified, removed }: Comparison, filter: FieldFilter): Comparison => ({ added: filter(added), modified: filter(modified), removed: filter(removed) });

/** Takes what changed from everybody, and gives what is new or different to the writer. */
export function giveChanges(managers: Managers, changes: Changes, write: TrackedWrite): Managers {
  const { added, modified, removed } = changes(write.apiVersion)!;
  const result = takeFrom(managers, changes, (fields, lost) => difference(fields, union(union(lost.added, lost.modified), lost.removed)));
  const own = difference(union(added, modified), UNTRACKED);
  if (isEmptySet(own)) return result;
  const writer = writerOf(write), identity = identityOf(writer);
  result.set(identity, { ...writer, time: toTimestamp(write.now), fields: union(own, difference(result.get(identity)?.fields ?? EMPTY_SET, removed)) });
  return result;
}

const writerOf = ({ manager, apiVersion, subresource }: TrackedWrite): Pick<Manager, "name" | "operation" | "apiVersion" | "subresource"> => ({ name: manager, operation: "Update", apiVersion, subresource });

/** Of a new object, with nobody to take anything from. */
function giveEverything(write: UpdateWrite): Managers {
  const fields = createdFields(write, write.object, (): FieldSet => {
    const { added, modified } = changesBetween(write, undefined, write.object)(write.apiVersion)!;
    return difference(union(added, modified), UNTRACKED);
  });
  const writer = writerOf(write);
  return isEmptySet(fields) ? new Map() : new Map([[identityOf(writer), { ...writer, time: toTimestamp(write.now), fields }]]);
}

/** What changed from one decoded object (undefined: none) to another, as far as the write can own it. */
export function changesBetween(write: TrackedWrite, left: object | undefined, right: object): Changes {
  const filter = ownable(write), { model } = write;
  const comparison = compareObjects(shapeOf(model), left === undefined ? emptyWire(model) : trackedWire(model, left), trackedWire(model, right));
  const changes = changesOf({ ...write, wire: trackedWire }, comparison, () => left ?? {}, () => right);
  return (apiVersion) => {
    const found = changes(apiVersion);
    return found === undefined ? undefined : filtered(found, filter);
  };
}

/** The managedFields of the written object; undefined when nothing is tracked. */
export function trackUpdate(write: UpdateWrite): ManagedFieldsEntry[] | undefined {
  const managers = startingManagers(write);
  if (managers.size === 0 && (write.live as WithMetadata | undefined)?.metadata?.uid !== undefined) return undefined; // Never tracked: not begun in the middle.
  try { return writeManagers(write.live === undefined && managers.size === 0 ? giveEverything(write) : capUpdaters(giveChanges(managers, changesBetween(write, write.live, write.object), write))); }
  catch (error) {
    if (error instanceof ItemError) return undefined; // As upstream: rather none than wrong ones.
    throw error;
  }
}
