/**
 * The query of a list or watch. Counterpart: apimachinery `meta/v1.ListOptions` and its validation.
 */
import { forbiddenField, invalid, invalidError, notSupported, required, type FieldError } from "../../api/field-error.ts";
import { exactFieldValue, parseFieldSelectorQuery, type FieldMatcher } from "../../api/helpers/field-selector.ts";
import { isEmptySelector, matchesLabels, parseLabelSelectorQuery, EVERYTHING, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import { badRequest } from "../../api/status-error.ts";
import type { Entry } from "../cache/entry.ts";
import { queryFlag } from "../request-info.ts";
import type { Resource } from "../registry/resource.ts";

export interface ListOptions {
  readonly selector: Selector;
  readonly limit: number;
  readonly continueToken: string;
  /** As sent: "" when absent. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/** What of a resource a list or watch is about, beside its namespace. */
export class Selector {
  readonly #labels: LabelMatcher;
  readonly #fields: FieldMatcher;
  readonly #everything: boolean;
  constructor(labels: LabelMatcher, fields: FieldMatcher) {
    this.#labels = labels;
    this.#fields = fields;
    this.#everything = isEmptySelector(labels) && fields.requirements.length === 0;
  }
  /** Nothing is asked for. */
  get everything(): boolean { return this.#everything; }
  /** The name or namespace an equality demands. */
  get name(): string | undefined { return exactFieldValue(this.#fields, "metadata.name"); }
  get namespace(): string | undefined { return exactFieldValue(this.#fields, "metadata.namespace"); }

  /** The same, of one name only. */
  withName(name: string): Selector {
    return new Selector(this.#labels, { requirements: [...this.#fields.requirements, { field: "metadata.name", operator: "=", value: name }] });
  }

  matches(entry: Entry): boolean {
    if (this.#everything) return true;
    if (!matchesLabels(this.#labels, entry.labels)) return false;
    for (const { field, operator, value } of this.#fields.requirements) if ((fieldOf(entry, field) === value) !== (operator === "=")) return false;
    return true;
  }
}

/** Without making an object of it: every change meets every watcher here. */
function fieldOf(entry: Entry, field: string): string {
  if (field === "metadata.name") return entry.name;
  if (field === "metadata.namespace") return entry.namespace;
  return entry.fields?.[field] ?? "";
}

const ALL = new Selector(EVERYTHING, { requirements: [] });

function integer(query: URLSearchParams, key: string): number | undefined {
  const text = query.get(key);
  if (text === null || text === "") return undefined;
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** Reads the query. Throws BadRequest and Invalid. */
export function readListOptions(query: URLSearchParams, resource: Resource, watch: boolean): ListOptions {
  const labels = query.get("labelSelector") ?? "", fields = query.get("fieldSelector") ?? "";
  const options: ListOptions = {
    selector: labels === "" && fields === "" ? ALL : new Selector(parseLabelSelectorQuery(labels), parseFieldSelectorQuery(fields, resource.selectableFields)),
    limit: Math.max(integer(query, "limit") ?? 0, 0),
    continueToken: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    timeoutSeconds: integer(query, "timeoutSeconds"),
    allowWatchBookmarks: queryFlag(query, "allowWatchBookmarks"),
    sendInitialEvents: query.has("sendInitialEvents") ? queryFlag(query, "sendInitialEvents") : undefined,
  };
  const errors = watch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalidError("meta.k8s.io", "ListOptions", "", errors);
  return options;
}

function listErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion: version, continueToken } = options;
  const errors: FieldError[] = [];
  if (options.sendInitialEvents !== undefined) errors.push(forbiddenField("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  if (match === "") return errors;
  if (version === "") errors.push(forbiddenField("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided"));
  if (continueToken !== "") errors.push(forbiddenField("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"));
  if (match !== "Exact" && match !== "NotOlderThan") errors.push(notSupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
  if (match === "Exact" && version === "0") errors.push(forbiddenField("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  return errors;
}

function watchErrors(options: ListOptions): FieldError[] {
  const { resourceVersionMatch: match, sendInitialEvents } = options;
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined && match !== "NotOlderThan") errors.push(forbiddenField("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  if (match === "") return errors;
  if (sendInitialEvents === undefined) errors.push(forbiddenField("resourceVersionMatch", "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  if (match !== "NotOlderThan") errors.push(notSupported("resourceVersionMatch", match, ["NotOlderThan"]));
  if (options.continueToken !== "") errors.push(forbiddenField("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided"));
  return errors;
}

/** A resourceVersion as a number; 0 for "" and "0". Throws BadRequest. */
export function parseVersion(text: string): number {
  if (text === "" || text === "0") return 0;
  if (!/^\d{1,15}$/.test(text)) {
    throw invalidError("meta.k8s.io", "ListOptions", "", [/^\d+$/.test(text) ? required("resourceVersion") : invalid("resourceVersion", text, `strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`)]);
  }
  return Number(text);
}
