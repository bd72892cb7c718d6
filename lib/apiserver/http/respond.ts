/**
 * Turns an ApiResponse into headers and bytes: common headers, warnings, gzip. The two protocol adapters share it.
 * Counterpart: apiserver `endpoints/handlers/responsewriters`.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { promisify } from "node:util";
import { createGzip, gzip, type Gzip } from "node:zlib";
import { bodySize, expectedSize, type ApiRequest, type ApiResponse, type BodyWriter, type Chunks, type ResponseStream } from "./exchange.ts";

/** Smaller bodies are sent as they are. */
export const GZIP_MIN_BYTES = 128 * 1024;
const GZIP_LEVEL = 1;
const gzipAsync = promisify(gzip);

/** Go's quoting of a warning text: RFC 7234 quoted-string without control characters. */
const quoteWarning = (text: string): string => `299 - "${text.replace(/\p{Cc}/gu, " ").replace(/["\\]/g, "\\$&")}"`;

export const acceptsGzip = (request: ApiRequest): boolean => {
  const accept = request.headers["accept-encoding"];
  return typeof accept === "string" && /(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))|,|$)/.test(accept);
};

/** Headers of the answer, lower case. */
export function responseHeaders(request: ApiRequest, response: ApiResponse, encoded: boolean, sizeBytes: number | undefined): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "audit-id": randomUUID(), "cache-control": "no-cache, private", "content-type": response.contentType };
  if (encoded) { headers["content-encoding"] = "gzip"; headers["vary"] = "Accept-Encoding"; }
  if (sizeBytes !== undefined) headers["content-length"] = String(sizeBytes);
  if (request.warnings.length > 0) headers["warning"] = request.warnings.map(quoteWarning);
  if (request.extraHeaders !== undefined) Object.assign(headers, request.extraHeaders);
  if (response.headers !== undefined) Object.assign(headers, response.headers);
  return headers;
}

/** A callback of node's streams that passes on success alone. */
export const unlessFailed = (done: (() => void) | undefined): ((error?: Error | null) => void) | undefined =>
  done && ((error) => { if (error === undefined || error === null) done(); });

/** What a protocol adapter does with a response. */
export interface ResponseSink {
  /** Sends a whole answer. */
  complete(status: number, headers: Record<string, string | string[]>, body: Buffer | string): void;
  /** Sends the head and returns where the body goes. */
  start(status: number, headers: Record<string, string | string[]>): ResponseStream;
}

/** Sends `response`; settles when the last byte was handed over or the client has gone. */
export async function send(request: ApiRequest, response: ApiResponse, sink: ResponseSink): Promise<void> {
  const { body } = response, size = bodySize(body);
  if (request.method === "HEAD") { sink.complete(response.status, responseHeaders(request, response, false, size), ""); return; }
  const zip = expectedSize(body) > GZIP_MIN_BYTES && acceptsGzip(request);
  if (typeof body === "function") return cutOnFailure(sink.start(response.status, responseHeaders(request, response, false, undefined)), body);
  if (typeof body === "string" || Buffer.isBuffer(body)) {
    const bytes = zip ? await gzipAsync(body, { level: GZIP_LEVEL }) : body;
    sink.complete(response.status, responseHeaders(request, response, zip, zip ? bytes.length : size), bytes);
    return;
  }
  const stream = sink.start(response.status, responseHeaders(request, response, zip, zip ? undefined : size));
  await cutOnFailure(stream, () => (zip ? writeZipped(stream, body) : writeChunks(stream, body)));
}

/** An answer that breaks off must not look whole. */
async function cutOnFailure(stream: ResponseStream, write: BodyWriter): Promise<void> {
  try { await write(stream); }
  catch (error) { stream.abort(); throw error; }
}

/** A client that takes nothing for this long holds no list open. */
const DRAIN_TIMEOUT_MS = 60_000;

/** Waits until the client took what was written. Throws when it does not. */
async function drained(stream: ResponseStream): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => { timer = setTimeout(() => reject(new Error(`the client took nothing for ${DRAIN_TIMEOUT_MS / 1000} s`)), DRAIN_TIMEOUT_MS); });
  try { await Promise.race([stream.drained(), late]); }
  finally { clearTimeout(timer); }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

/** Lets other requests run between chunks: none of them holds the loop for longer than one chunk takes. */
async function writeChunks(stream: ResponseStream, body: Chunks): Promise<void> {
  for await (const chunk of body.chunks) {
    if (stream.closed) return;
    if (stream.write(chunk, () => body.written?.(chunk))) await nextTurn();
    else await drained(stream);
  }
  stream.end();
}

async function writeZipped(stream: ResponseStream, body: Chunks): Promise<void> {
  const zip: Gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 64 * 1024 });
  stream.onClose(() => zip.destroy());
  const read = async (): Promise<void> => {
    for await (const part of zip as AsyncIterable<Buffer>) if (!stream.write(part)) await drained(stream);
  };
  const fill = async (): Promise<void> => {
    for await (const chunk of body.chunks) {
      if (stream.closed) return;
      if (!zip.write(chunk, unlessFailed(() => body.written?.(chunk)))) await Promise.race([once(zip, "drain"), once(zip, "close")]);
    }
    if (!stream.closed) zip.end();
  };
  try {
    await Promise.all([read(), fill()]);
    stream.end();
  } catch (error) {
    if (!stream.closed) throw error;
  }
}
