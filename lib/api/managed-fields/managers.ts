/**
 * Who manages which fields: the entries of metadata.managedFields, read and written.
 * Counterpart: apimachinery `util/managedfields/internal`.
 */
import type { ManagedFieldsEntry } from "../schema/generated/models.ts";
import { isMap } from "../patch/json-value.ts";
import { isEmptySet, isFieldSet, union, type FieldSet } from "./field-set.ts";

export type Operation = "Apply" | "Update";

export interface Manager {
  readonly name: string;
  readonly operation: Operation;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}
/** By identity: an applier is the same whatever version it applied, an updater is one per version. */
export type Managers = Map<string, Manager>;

export const UPDATERS_MAX = 10;
const ANCIENT = "ancient-changes";
const NAME_MAX_BYTES = 128;

type Identity = Pick<Manager, "name" | "operation" | "apiVersion" | "subresource">;

/** The identity upstream's map has: its order decides ties. */
export function identityOf({ name, operation, apiVersion, subresource }: Identity): string {
  const identity: Partial<Record<"manager" | "operation" | "apiVersion" | "subresource", string>> = {};
  if (name !== "") identity.manager = name;
  identity.operation = operation;
  if (operation !== "Apply") identity.apiVersion = apiVersion;
  if (subresource !== "") identity.subresource = subresource;
  return JSON.stringify(identity);
}

/** Reads entries; undefined when one of them is not as upstream writes it. Entries a client sent are `foreign`: their fields are looked into. */
export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined, foreign = false): Managers | undefined {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    const { operation, apiVersion, fieldsType, fieldsV1 } = entry;
    if ((operation !== "Apply" && operation !== "Update") || apiVersion === undefined || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
    if (foreign && fieldsV1 !== undefined && !isFieldSet(fieldsV1)) return undefined;
    const fields = isMap(fieldsV1) ? (fieldsV1 as unknown as FieldSet) : {};
    const manager: Manager = { name: entry.manager ?? "", operation, apiVersion, subresource: entry.subresource ?? "", time: entry.time, fields };
    managers.set(identityOf(manager), manager);
  }
  return managers;
}

/** Whether a request asks to forget all managers: an empty list, or one empty entry. */
export function asksForReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  if (entries === undefined) return false;
  return entries.length === 0 || (entries.length === 1 && Object.keys(entries[0]!).length === 0);
}

const seconds = (time: string | undefined): number => (time === undefined ? 0 : Math.floor(Date.parse(time) / 1_000));
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Writes entries in upstream's order; undefined when there are none. */
export function writeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  const sorted = [...managers.values()].sort((a, b) =>
    byText(a.operation, b.operation) || seconds(a.time) - seconds(b.time) || byText(a.name, b.name) || byText(a.apiVersion, b.apiVersion) || byText(a.subresource, b.subresource));
  return sorted.map(({ name, operation, apiVersion, subresource, time, fields }) => {
    const entry: ManagedFieldsEntry = {};
    if (name !== "") entry.manager = name;
    entry.operation = operation;
    entry.apiVersion = apiVersion;
    if (time !== undefined) entry.time = time;
    entry.fieldsType = "FieldsV1";
    entry.fieldsV1 = fields;
    if (subresource !== "") entry.subresource = subresource;
    return entry;
  });
}

/** Changes the fields of every manager; those left with none are dropped. */
export function mapFields(managers: Managers, change: (fields: FieldSet, identity: string, manager: Manager) => FieldSet): Managers {
  const result: Managers = new Map();
  for (const [identity, manager] of managers) {
    const fields = change(manager.fields, identity, manager);
    if (!isEmptySet(fields)) result.set(identity, fields === manager.fields ? manager : { ...manager, fields });
  }
  return result;
}

/** Merges the oldest updaters of a version into one entry while there are too many. */
export function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, manager]) => manager.operation === "Update");
  if (updaters.length <= UPDATERS_MAX) return managers;
  updaters.sort(([idA, a], [idB, b]) => seconds(a.time) - seconds(b.time) || byText(idA, idB));
  const result: Managers = new Map(managers), first = new Map<string, string>();
  let count = updaters.length;
  for (const [identity, manager] of updaters) {
    if (count <= UPDATERS_MAX) break;
    const earlier = first.get(manager.apiVersion);
    if (earlier === undefined) { first.set(manager.apiVersion, identity); continue; }
    const bucket = { name: ANCIENT, operation: "Update" as const, apiVersion: manager.apiVersion, subresource: "" }, bucketId = identityOf(bucket);
    const before = result.get(bucketId) ?? result.get(earlier)!;
    result.delete(earlier);
    result.delete(identity);
    result.set(bucketId, { ...bucket, time: manager.time, fields: union(manager.fields, before.fields) });
    first.set(manager.apiVersion, bucketId);
    count--;
  }
  return result;
}

/** As Go's `unicode.IsPrint`: of all spaces only the common one. */
export const isPrintable = (character: string): boolean => /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character);

/** The manager of a request: `fieldManager` of the query, or the start of the User-Agent. */
export function managerName(fieldManager: string, userAgent: string): string {
  if (fieldManager !== "") return fieldManager;
  let name = "";
  for (const c of userAgent.split("/")[0]!) {
    if (!isPrintable(c)) continue;
    if (Buffer.byteLength(name + c) > NAME_MAX_BYTES) break;
    name += c;
  }
  return name === "" ? "unknown" : name;
}
