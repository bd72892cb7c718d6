/**
 * Tables and metadata-only forms of objects: `as=Table`, `as=PartialObjectMetadata(List)`.
 * Counterpart: apiserver `endpoints/handlers/response.go` and `registry/rest/table.go`.
 */
import type { KubeObject, ResourceDefinition } from "../../api/resource-definition.ts";
import type { ListMeta } from "../../api/schema/generated/models.ts";
import { badRequest } from "../../api/status-error.ts";
import type { Entry } from "../cache/entry.ts";
import { Turns } from "../../util/turns.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import type { Negotiated } from "../negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import { CHUNK_BYTES } from "./chunks.ts";
import { valueResponse } from "./encode.ts";
import { bookmarkMetadata, type WatchForm } from "./watch.ts";
import { valueFrame } from "./watch-frames.ts";

type IncludeObject = "None" | "Metadata" | "Object";
interface Row { cells: unknown[]; object?: unknown }

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
  const turns = new Turns();
  for (const entry of entries) {
    // A new object, past the cache of decoded ones: a long list would only drive out what is in use there.
    take(resource.decode(entry));
    if (turns.isLong) await turns.pause();
  }
}

/** A value whose last field is a list, made from the list's items one by one: written as one value is, but item by item. */
async function longList(resource: Resource, entries: readonly Entry[], head: object, field: string, item: (object: KubeObject) => object, negotiated: Negotiated): Promise<ApiResponse> {
  if (negotiated.format !== "json" || negotiated.pretty) {
    const items: object[] = [];
    await decodeEach(resource, entries, (object) => items.push(item(object)));
    return valueResponse({ ...head, [field]: items }, { ...negotiated, as: undefined });
  }
  const parts = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"${field}":[`)];
  await decodeEach(resource, entries, (object) => parts.push(Buffer.from(`${parts.length === 1 ? "" : ","}${JSON.stringify(item(object))}`)));
  parts.push(Buffer.from("]}\n"));
  return { status: 200, contentType: negotiated.contentType, body: { sizeBytes: parts.reduce((sum, part) => sum + part.length, 0), chunks: gathered(parts) } };
}

/** Small buffers in larger ones. */
function* gathered(parts: readonly Buffer[]): Generator<Buffer> {
  for (let i = 0; i < parts.length;) {
    const start = i;
    for (let size = 0; i < parts.length && size < CHUNK_BYTES; i++) size += parts[i]!.length;
    yield Buffer.concat(parts.slice(start, i));
  }
}

/** A list as a table. */
export function listTable(resource: Resource, entries: readonly Entry[], metadata: ListMeta, include: IncludeObject, negotiated: Negotiated): Promise<ApiResponse> {
  const now = resource.deps.clock.now(), head = { ...tableHead(negotiated, metadata), columnDefinitions: columnDefinitions(resource.definition) };
  return longList(resource, entries, head, "rows", (object) => row(resource, object, include, negotiated, now), negotiated);
}

/** A list of metadata. */
export const partialList = (resource: Resource, entries: readonly Entry[], metadata: ListMeta, negotiated: Negotiated): Promise<ApiResponse> =>
  longList(resource, entries, { kind: "PartialObjectMetadataList", apiVersion: metaVersion(negotiated), metadata }, "items", (object) => partialObject(object, negotiated), negotiated);

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
