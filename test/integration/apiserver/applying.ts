/** Server-side apply over HTTP, and who manages what in words: what its tests share. */
import { isEmptySet, pathsOf, type FieldSet } from "../../../lib/api/managed-fields/field-set.ts";
import { printPath } from "../../../lib/api/managed-fields/path-element.ts";
import type { Answer, Harness, Json } from "./harness.ts";

export interface ApplyOptions { readonly force?: boolean; readonly dryRun?: boolean; readonly headers?: Record<string, string> }
interface Entry { readonly manager?: string; readonly operation: string; readonly apiVersion: string; readonly subresource?: string; readonly time?: string; readonly fieldsV1: FieldSet }

/** Applies `body` to the object at `path` as `manager`. */
export const apply = (api: Harness, path: string, manager: string, body: Json | string, { force = false, dryRun = false, headers = {} }: ApplyOptions = {}): Promise<Answer> =>
  api.call("PATCH", `${path}${path.includes("?") ? "&" : "?"}fieldManager=${encodeURIComponent(manager)}${force ? "&force=true" : ""}${dryRun ? "&dryRun=All" : ""}`, { body, headers: { "content-type": "application/apply-patch+yaml", ...headers } });

export const entriesOf = (object: { metadata: { managedFields?: Entry[] } }): Entry[] => object.metadata.managedFields ?? [];

/** `manager` for an applier, `manager (Update)` for an updater, with `/subresource` behind. */
const nameOf = ({ manager = "", operation, subresource }: Entry): string => `${manager}${operation === "Update" ? " (Update)" : ""}${subresource === undefined ? "" : `/${subresource}`}`;

/** What every manager owns, as the paths conflicts are told with; a struct or item itself is left out where something in it is owned. */
export function owners(object: { metadata: { managedFields?: Entry[] } }): Record<string, string[]> {
  return Object.fromEntries(entriesOf(object).map((entry) => {
    const paths = isEmptySet(entry.fieldsV1) ? [] : pathsOf(entry.fieldsV1).map(printPath);
    return [nameOf(entry), paths.filter((path) => !paths.some((other) => other !== path && other.startsWith(path) && /^[.[]/.test(other.slice(path.length)))).sort()];
  }));
}

export const conflictFields = (answer: Answer): string[] => (answer.body.details.causes as { field: string }[]).map(({ field }) => field);
