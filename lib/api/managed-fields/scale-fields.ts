/**
 * Who manages the replicas: the managers of an object as those of its Scale, and back again.
 *
 * Differs from upstream in one thing: an updater that keeps the replicas keeps its entry as it is, where upstream splits it in two.
 * Counterpart: apimachinery `util/managedfields` ScaleHandler.
 */
import type { ManagedFieldsEntry } from "../schema/generated/models.ts";
import { difference, hasPath, isEmptySet, setOf, union } from "./field-set.ts";
import { identityOf, readManagers, writeManagers, type Manager, type Managers } from "./managers.ts";

export const SCALE_VERSION = "autoscaling/v1";
const REPLICAS: readonly string[] = ["f:spec", "f:replicas"], REPLICAS_SET = setOf(REPLICAS);

/** `.spec.replicas` -> a path of elements. */
export const pathOfField = (path: string): string[] => path.split(".").slice(1).map((name) => `f:${name}`);

/** The same manager, whatever version it speaks. */
const nameOf = ({ name, operation, subresource }: Manager): string => JSON.stringify([name, operation, subresource]);

/** The entries a Scale shows: of those who manage the replicas. */
export function scaleEntries(parent: readonly ManagedFieldsEntry[] | undefined, replicas: readonly string[]): ManagedFieldsEntry[] | undefined {
  const managers: Managers = new Map();
  for (const manager of readManagers(parent)?.values() ?? []) {
    if (!hasPath(manager.fields, replicas)) continue;
    const shown = { ...manager, apiVersion: SCALE_VERSION, fields: REPLICAS_SET };
    managers.set(identityOf(shown), shown);
  }
  return writeManagers(managers);
}

/** The object's entries after its Scale was written; `apiVersion` is the object's. */
export function parentEntries(parent: readonly ManagedFieldsEntry[] | undefined, scale: readonly ManagedFieldsEntry[] | undefined, replicas: readonly string[], apiVersion: string): ManagedFieldsEntry[] | undefined {
  const managers: Managers = new Map(readManagers(parent)), owned = setOf(replicas);
  const owners = new Map([...(readManagers(scale)?.values() ?? [])].filter(({ fields }) => hasPath(fields, REPLICAS)).map((manager) => [nameOf(manager), manager]));
  for (const [identity, manager] of managers) {
    if (!hasPath(manager.fields, replicas) || owners.delete(nameOf(manager))) continue;
    const fields = difference(manager.fields, owned);
    if (isEmptySet(fields)) managers.delete(identity);
    else managers.set(identity, { ...manager, fields });
  }
  for (const owner of owners.values()) {
    const added = { ...owner, apiVersion, time: undefined }, identity = identityOf(added), before = managers.get(identity);
    managers.set(identity, before === undefined ? { ...added, fields: owned } : { ...before, fields: union(before.fields, owned) });
  }
  return writeManagers(managers);
}
