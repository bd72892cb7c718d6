/**
 * Tables and metadata-only forms of objects: `as=Table`, `as=PartialObjectMetadata(List)`.
 * Counterpart: apiserver `endpoints/handlers/response.go` and `registry/rest/table.go`.
 */
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { Entry } from "../cache/entry.ts";
import type { ApiRequest } from "../http/exchange.ts";
import type { Negotiated } from "../negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import { bookmarkMetadata, type WatchForm } from "./watch.ts";
import { valueFrame } from "./watch-frames.ts";

type IncludeObject = "None" | "Metadata" | "Object";
interface Row { cells: unknown[]; object?: unknown }

/** Rows rendered before other requests get a turn. */
const ROWS_A_TURN = 200;

export function includeObjectOf(request: ApiRequest): IncludeObject {
  const asked = request.query.get("includeObject") ?? "";
  if (asked === "" || asked === "Metadata") return "Metadata";
  if (asked === "None" || asked === "Object") return asked;
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(asked)}`);
}

const metaVersion = (negotiated: Negotiated): string => `meta.k8s.io/${negotiated.version}`;

export const partialObject = (object: KubeObject, negotiated: Negotiated): object =>
  ({ kind: "PartialObjectMetadata", apiVersion: metaVersion(negotiated), metadata: object.metadata });

function columnDefinitions({ columns }: Pick<ResourceDefinition, "columns">): object[] {
  return columns.map((column) => ({ name: column.name, type: column.type, format: column.format ?? "", description: column.description, priority: column.priority ?? 0 }));
}

function row(resource: Resource, object: KubeObject, include: IncludeObject, negotiated: Negotiated, now: Date): Row {
  const cells = resource.definition.columns.map((column) => column.cell(object, now));
  switch (include) {
    // Upstream's servers send null here.
    case "None": return { cells, object: null };
    case "Metadata": return { cells, object: partialObject(object, negotiated) };
    case "Object": return { cells, object: { ...object, kind: resource.definition.kind, apiVersion: resource.codec.apiVersion } };
  }
}

const tableHead = (negotiated: Negotiated, metadata: ListMeta): object => ({ kind: "Table", apiVersion: metaVersion(negotiated), metadata });

/** Objects that are stored nowhere, as a table. */
export function valueTable(definition: Pick<ResourceDefinition, "columns">, objects: readonly KubeObject[], negotiated: Negotiated, now: Date, metadata: ListMeta = {}): object {
  const rows = objects.map((object) => ({ cells: definition.columns.map((column) => column.cell(object, now)), object: partialObject(object, negotiated) }));
  return { ...tableHead(negotiated, metadata), columnDefinitions: columnDefinitions(definition), rows };
}

/** One object as a table of one row. */
export function objectTable(resource: Resource, stored: Entry, include: IncludeObject, negotiated: Negotiated, withColumns = true): object {
  const object = resource.peek(stored), now = resource.deps.clock.now();
  const metadata = stored.revision > 0 ? { resourceVersion: String(stored.revision) } : {};
  return { ...tableHead(negotiated, metadata), columnDefinitions: withColumns ? columnDefinitions(resource.definition) : null, rows: [row(resource, object, include, negotiated, now)] };
}

async function decodeEach(resource: Resource, entries: readonly Entry[], take: (object: KubeObject) => void): Promise<void> {
  for (let i = 0; i < entries.length; i++) {
    // A new object, past the cache of decoded ones: a long list would only drive out what is in use there.
    take(resource.decode(entries[i]!));
    if (i % ROWS_A_TURN === ROWS_A_TURN - 1) await new Promise((resolve) => { setImmediate(resolve); });
  }
}

/** A list as a table. */
export async function listTable(resource: Resource, entries: readonly Entry[], metadata: ListMeta, include: IncludeObject, negotiated: Negotiated): Promise<object> {
  const rows: Row[] = [], now = resource.deps.clock.now();
  await decodeEach(resource, entries, (object) => rows.push(row(resource, object, include, negotiated, now)));
  return { ...tableHead(negotiated, metadata), columnDefinitions: columnDefinitions(resource.definition), rows };
}

/** A list of metadata. */
export async function partialList(resource: Resource, entries: readonly Entry[], metadata: ListMeta, negotiated: Negotiated): Promise<object> {
  const items: object[] = [];
  await decodeEach(resource, entries, (object) => items.push(partialObject(object, negotiated)));
  return { kind: "PartialObjectMetadataList", apiVersion: metaVersion(negotiated), metadata, items };
}

/** A watch of tables: the first event carries the columns. */
export function tableForm(resource: Resource, include: IncludeObject, negotiated: Negotiated): WatchForm {
  let first = true;
  return {
    contentType: negotiated.contentType,
    frame: (type, entry) => {
      const frame = valueFrame(type, objectTable(resource, entry, include, negotiated, first));
      first = false;
      return frame;
    },
    bookmark: (revision, end) => {
      const metadata = bookmarkMetadata(revision, end);
      const object = include === "Object" ? { kind: resource.definition.kind, apiVersion: resource.codec.apiVersion, metadata } : { kind: "PartialObjectMetadata", apiVersion: metaVersion(negotiated), metadata };
      const table = { ...tableHead(negotiated, { resourceVersion: String(revision) }), columnDefinitions: first ? columnDefinitions(resource.definition) : null, rows: [{ cells: resource.definition.columns.map(() => null), object: include === "None" ? null : object }] };
      first = false;
      return table;
    },
  };
}

/** A watch of metadata. */
export function partialForm(resource: Resource, negotiated: Negotiated): WatchForm {
  return {
    contentType: negotiated.contentType,
    frame: (type, entry) => valueFrame(type, partialObject(resource.peek(entry), negotiated)),
    bookmark: (revision, end) => ({ kind: "PartialObjectMetadata", apiVersion: metaVersion(negotiated), metadata: bookmarkMetadata(revision, end) }),
  };
}
