/** Objects and lists as response bodies. Counterpart: apiserver `endpoints/handlers/response.go`. */
import type { ListMeta } from "../../api/schema/generated/models.ts";
import type { Entry } from "../cache/entry.ts";
import type { ApiResponse } from "../http/exchange.ts";
import { formatted } from "../long-work/long-work.ts";
import type { Negotiated } from "../negotiate.ts";
import type { Resource } from "../registry/resource.ts";
import { listBuffers } from "./chunks.ts";
import { listText } from "./encode-list.ts";
import { textOf } from "./text-form.ts";

/** A list up to this size is one buffer. */
const WHOLE_MAX_BYTES = 256 * 1024;
const COMMA = 0x2c, NEWLINE = 0x0a;
const END = Buffer.from("]}\n");

/** Any value as the negotiated format. */
export function valueResponse(value: unknown, negotiated: Negotiated, status = 200): ApiResponse {
  const body = negotiated.format === "yaml" ? textOf(value, "yaml") : negotiated.pretty ? `${textOf(value, "pretty")}\n` : `${JSON.stringify(value)}\n`;
  return { status, contentType: negotiated.contentType, body };
}

/** One object, from its bytes where the format allows. */
export function entryResponse(resource: Resource, stored: Entry, negotiated: Negotiated, status = 200): ApiResponse | Promise<ApiResponse> {
  const entry = resource.view(stored);
  const { format, contentType } = negotiated;
  if (format === "yaml") return formatted(entry.toBuffer(), "yaml").then((body) => ({ status, contentType, body }));
  if (negotiated.pretty) return formatted(entry.toBuffer(), "pretty").then((text) => ({ status, contentType, body: `${text}\n` }));
  const body = Buffer.allocUnsafe(entry.sizeBytes() + 1);
  body[entry.writeTo(body, 0)] = NEWLINE;
  return { status, contentType, body };
}

/** Chunks as one buffer of its own. */
async function whole(chunks: AsyncIterable<Buffer>, written: (chunk: Buffer) => void): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) {
    parts.push(Buffer.from(chunk));
    written(chunk);
  }
  return Buffer.concat(parts);
}

/** A list of objects, from their bytes where the format allows. */
export async function listResponse(resource: Resource, entries: readonly Entry[], metadata: ListMeta, negotiated: Negotiated): Promise<ApiResponse> {
  const { definition, codec } = resource;
  const shown = definition.storage === undefined ? entries : entries.map((entry) => resource.view(entry));
  const skip = codec.head.length;
  let itemsBytes = Math.max(0, shown.length - 1);
  for (const entry of shown) itemsBytes += entry.sizeBytes(skip);
  const written = (chunk: Buffer): void => { listBuffers.giveBack(chunk); };
  if (negotiated.format !== "json" || negotiated.pretty) {
    const chunks = listText(negotiated.format === "yaml" ? "yaml" : "pretty", { kind: definition.listKind, apiVersion: codec.apiVersion, metadata }, shown, skip);
    return { status: 200, contentType: negotiated.contentType, body: itemsBytes > WHOLE_MAX_BYTES ? { aboutBytes: itemsBytes, chunks, written } : await whole(chunks, written) };
  }
  const head = Buffer.from(`{"kind":${JSON.stringify(definition.listKind)},"apiVersion":${JSON.stringify(codec.apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`);
  const sizeBytes = head.length + itemsBytes + END.length;
  if (sizeBytes > WHOLE_MAX_BYTES) return { status: 200, contentType: negotiated.contentType, body: { sizeBytes, chunks: listChunks(head, shown, skip), written } };
  const body = Buffer.allocUnsafe(sizeBytes);
  let offset = head.copy(body, 0);
  for (let i = 0; i < shown.length; i++) {
    if (i > 0) body[offset++] = COMMA;
    offset = shown[i]!.writeTo(body, offset, skip);
  }
  END.copy(body, offset);
  return { status: 200, contentType: negotiated.contentType, body };
}

/** Joins entries into chunks as they are asked for, so a long list neither holds the loop nor a second copy of itself. */
function* listChunks(head: Buffer, entries: readonly Entry[], skip: number): Generator<Buffer> {
  let chunk = listBuffers.take(), offset = head.copy(chunk, 0);
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!, needed = entry.sizeBytes(skip) + 1;
    if (offset + needed > chunk.length) {
      if (offset > 0) yield chunk.subarray(0, offset);
      chunk = listBuffers.take(needed);
      offset = 0;
    }
    if (i > 0) chunk[offset++] = COMMA;
    offset = entry.writeTo(chunk, offset, skip);
  }
  if (offset > 0) yield chunk.subarray(0, offset);
  yield END;
}
