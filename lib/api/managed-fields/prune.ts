/**
 * Taking away what a manager applied before, applies no more, and nobody else owns.
 * Counterpart: structured-merge-diff `merge.Updater.prune`.
 */
import type { JsonMap } from "../patch/json-value.ts";
import { difference, EMPTY_SET, intersection, isEmptySet, union, type FieldSet } from "./field-set.ts";
import type { Manager, Managers } from "./managers.ts";
import { removeFields } from "./remove-fields.ts";
import type { StructShape } from "./shape.ts";
import { fieldSetOf, withNamedFields } from "./to-field-set.ts";

/** How the merged object looks in a version; undefined for one nobody serves. */
export interface Shown { readonly shape: StructShape; show(wire: JsonMap, from: string): JsonMap }
export type ShownIn = (apiVersion: string) => Shown | undefined;

const wholeSet = (shape: StructShape, wire: JsonMap): FieldSet => withNamedFields(fieldSetOf(shape, wire), shape);

/** What is owned in each version; that of `first` comes first, so that what other versions need is there again. */
function ownedByVersion(managers: Managers, first: string): Map<string, FieldSet> {
  const owned = new Map<string, FieldSet>([[first, EMPTY_SET]]);
  for (const { apiVersion, fields } of managers.values()) owned.set(apiVersion, union(owned.get(apiVersion) ?? EMPTY_SET, fields));
  return owned;
}

/** `merged`, a wire of version `apiVersion`, without what `last` had that is neither applied nor owned now. Throws ItemError. */
export function prune(merged: JsonMap, apiVersion: string, last: Manager | undefined, managers: Managers, shownIn: ShownIn): JsonMap {
  if (last === undefined || isEmptySet(last.fields)) return merged;
  const version = last.apiVersion, at = shownIn(version), now = shownIn(apiVersion)!;
  if (at === undefined) return merged;
  const owned = ownedByVersion(managers, version);
  // What somebody owns is kept with all on the way to it. Most applies repeat what was applied before, and end here.
  if (version === apiVersion && isEmptySet(difference(last.fields, owned.get(version)!))) return merged;
  const { shape } = at, before = at.show(merged, apiVersion), lastSet = withNamedFields(last.fields, shape);
  let pruned = removeFields(shape, before, lastSet), spoken = version;
  for (const [other, theirs] of owned) {
    const there = shownIn(other);
    if (there === undefined) continue;
    const whole = there.show(before, version), kept = union(wholeSet(there.shape, there.show(pruned, spoken)), withNamedFields(theirs, there.shape));
    pruned = removeFields(there.shape, whole, difference(wholeSet(there.shape, whole), kept));
    spoken = other;
  }
  const dangling = intersection(difference(wholeSet(shape, before), wholeSet(shape, at.show(pruned, spoken))), lastSet);
  return now.show(removeFields(shape, before, dangling), version);
}
