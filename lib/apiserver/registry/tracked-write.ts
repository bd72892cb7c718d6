/**
 * A resource's writes as the machinery of managedFields sees them, and what becomes of an object's managedFields when it is written.
 * Counterpart: apiserver `endpoints/handlers/fieldmanager` and `util/managedfields` as `endpoints/installer.go` sets it up.
 */
import type { TrackedWrite } from "../../api/managed-fields/track-update.ts";
import type { Versions } from "../../api/managed-fields/versions.ts";
import { jsonEqual } from "../../api/patch/json-value.ts";
import { apiVersionOf, groupResource } from "../../api/reference.ts";
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import type { ManagedFieldsEntry } from "../../api/schema/generated/models.ts";
import { semanticEqual } from "../../api/semantic-equal.ts";
import { trackWrite } from "../long-work/long-work.ts";
import type { Resource } from "./resource.ts";

/** What does not depend on the single write. */
export const trackedWrite = ({ definition, codec, versions }: Resource, subresource: string, manager: string, now: Date): TrackedWrite => ({
  model: definition.model, apiVersion: codec.apiVersion, resource: groupResource(definition), subresource,
  hasStatus: definition.subresources.includes("status"), versions, manager, now,
});

/** Sets the managedFields of an object about to be stored, from what differs from `old` (undefined: a new object). To be awaited where it gives a promise. */
export function track(resource: Resource, object: KubeObject, old: KubeObject | undefined, subresource: string, manager: string, now: Date): void | Promise<void> {
  const entries = trackWrite({ ...trackedWrite(resource, subresource, manager, now), live: old, object });
  if (entries instanceof Promise) return entries.then((settled) => setManagedFields(object, settled));
  setManagedFields(object, entries);
}

export function setManagedFields({ metadata }: KubeObject, entries: ManagedFieldsEntry[] | undefined): void {
  if (entries === undefined) delete metadata.managedFields;
  else metadata.managedFields = entries;
}

/** The versions that show one stored thing; undefined where there is but one. */
export function versionsOf(definitions: readonly ResourceDefinition[]): Versions | undefined {
  if (definitions.length < 2) return undefined;
  const byVersion = new Map(definitions.map((definition) => [apiVersionOf(definition), definition]));
  return {
    modelOf: (apiVersion) => byVersion.get(apiVersion)?.model,
    convert: (object, from, to) => {
      const source = byVersion.get(from)!, target = byVersion.get(to)!, copy = structuredClone(object) as KubeObject;
      const stored = source.storage === undefined ? copy : source.storage.toStorage(copy);
      return { ...(target.storage === undefined ? stored : target.storage.fromStorage(stored)), apiVersion: to, kind: target.kind };
    },
  };
}

const withoutTime = ({ time: _, ...entry }: ManagedFieldsEntry): object => entry;

/** Whether managedFields differ from the stored ones in their times alone. */
export function ownersAreKept(object: KubeObject, old: KubeObject): boolean {
  const before = old.metadata.managedFields ?? [], after = object.metadata.managedFields ?? [];
  if (before.length === 0 || before.length !== after.length || after.every((entry, i) => entry.time === before[i]!.time)) return false;
  return after.every((entry, i) => jsonEqual(withoutTime(entry), withoutTime(before[i]!)));
}

/**
 * Puts the old times back into an object whose owners are kept, when it differs from the stored one in nothing else: no write for a timestamp alone.
 * Counterpart: fieldmanager IgnoreManagedFieldsTimestampsTransformer.
 */
export function keepTimes(object: KubeObject, old: KubeObject): void {
  const bare = (one: KubeObject): object => ({ ...one, metadata: { ...one.metadata, managedFields: undefined } });
  if (semanticEqual(bare(object), bare(old))) object.metadata.managedFields = old.metadata.managedFields!.map((entry) => ({ ...entry }));
}
