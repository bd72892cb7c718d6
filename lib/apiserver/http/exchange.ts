/**
 * One request and its response, whichever protocol carried them. Filters and handlers know only these.
 *
 * A response body is complete (`Buffer`, `string`), a run of chunks written as the client takes them (long lists),
 * or a function that writes for as long as it likes (watches, logs).
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { Duplex, Readable, Writable } from "node:stream";
import type { UserInfo } from "../contracts.ts";
import type { RequestInfo } from "../request-info.ts";

export const BODY_MAX_BYTES = 3 * 1024 * 1024;
const NO_QUERY = new URLSearchParams();

/** What a protocol gives of a request. */
export interface RequestSource {
  readonly remoteAddress: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  /** DER of the client certificate; `verified` when its chain leads to the client CA. */
  clientCertificate(): { der: Buffer; verified: boolean } | undefined;
  /** The whole body. Rejects with StatusError RequestEntityTooLarge beyond BODY_MAX_BYTES. */
  readBody(): Promise<Buffer>;
  /** Calls back once when the client has gone or the response has ended. */
  onClose(listener: () => void): void;
  /** The bare request and response, for handlers of streams. */
  raw(): RawExchange;
}

/** A request and its response as streams. */
export interface RawExchange {
  readonly body: Readable;
  /** Set when the client asked to leave HTTP/1.1. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** Writes the head of the answer and returns where its body goes. */
  respond(status: number, headers: OutgoingHttpHeaders): Writable;
  /** Something of the answer was written. */
  begun(): boolean;
  abort(): void;
}

export class ApiRequest {
  readonly method: string;
  /** Path and query as the client wrote them. */
  readonly target: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly protocol: "HTTP/1.1" | "HTTP/2.0";
  readonly source: RequestSource;
  readonly receivedMs: number;
  /** Set by the request info filter. */
  info!: RequestInfo;
  /** Set by the authentication filter, changed by the impersonation filter. */
  user!: UserInfo;
  /** Texts of `Warning` headers. */
  readonly warnings: string[] = [];
  /** Sent with the answer whatever it is; undefined until a filter adds one. */
  extraHeaders: Record<string, string> | undefined;

  constructor(method: string, target: string, headers: IncomingHttpHeaders, protocol: "HTTP/1.1" | "HTTP/2.0", source: RequestSource, receivedMs: number) {
    const mark = target.indexOf("?");
    this.method = method;
    this.target = target;
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.query = mark < 0 || mark === target.length - 1 ? NO_QUERY : new URLSearchParams(target.slice(mark + 1));
    this.headers = headers;
    this.protocol = protocol;
    this.source = source;
    this.receivedMs = receivedMs;
  }

  addWarning(text: string): void { if (!this.warnings.includes(text)) this.warnings.push(text); }
}

/** Where a long answer is written. */
export interface ResponseStream {
  /** False: the client is behind; wait for `drained`. `written` is called once nothing reads `chunk` any more; it may never be, when the client goes. */
  write(chunk: Buffer, written?: () => void): boolean;
  /** Resolves when more may be written, or at once when the stream is closed. */
  drained(): Promise<void>;
  /** Bytes accepted but not yet taken by the client. */
  bufferedBytes(): number;
  /** Ends the answer properly. */
  end(): void;
  /** Cuts the connection or stream, so the client sees that something is missing. */
  abort(): void;
  readonly closed: boolean;
  /** Calls back once, when the client has gone or the answer has ended. */
  onClose(listener: () => void): void;
}

export type BodyWriter = (stream: ResponseStream) => void | Promise<void>;
export interface Chunks {
  readonly chunks: Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Exactly so many; undefined when that is known only at the end. */
  readonly sizeBytes?: number;
  /** About so many, where `sizeBytes` is not known: says whether gzip is worth its while. */
  readonly aboutBytes?: number;
  /** Called with a chunk once nothing reads it any more: it may be used again. Not called for what a client did not take. */
  written?(chunk: Buffer): void;
}

export interface ApiResponse {
  readonly status: number;
  readonly contentType: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Buffer | string | Chunks | BodyWriter;
}

/** The handler answers (or answered) by itself, on the raw connection. */
export const TAKEN: ApiResponse = { status: 0, contentType: "", body: "" };

export type Handler = (request: ApiRequest) => Promise<ApiResponse> | ApiResponse;

/** Of a body whose size is known before it is sent. */
export function bodySize(body: ApiResponse["body"]): number | undefined {
  if (typeof body === "function") return undefined;
  if (typeof body === "string") return Buffer.byteLength(body);
  return Buffer.isBuffer(body) ? body.length : body.sizeBytes;
}

/** About how many bytes it will be; 0 for a body that is written as it comes. */
export function expectedSize(body: ApiResponse["body"]): number {
  if (typeof body === "object" && !Buffer.isBuffer(body)) return body.sizeBytes ?? body.aboutBytes ?? 0;
  return bodySize(body) ?? 0;
}
