/** HTTP/1.1: node's request and response as ApiRequest and ResponseSink. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { StatusError, badRequest } from "../../api/status-error.ts";
import { ApiRequest, BODY_MAX_BYTES, type RawExchange, type RequestSource, type ResponseStream } from "./exchange.ts";
import { clientCertificateOf } from "./client-certificate.ts";
import { unlessFailed, type ResponseSink } from "./respond.ts";

export const tooLarge = (): StatusError => new StatusError("RequestEntityTooLarge", `Request entity too large: limit is ${BODY_MAX_BYTES}`);

/** The client went away in the middle of its request. */
export const cutOff = (): StatusError => badRequest("unexpected EOF");

export class Http1Source implements RequestSource {
  readonly #message: IncomingMessage;
  readonly raw: () => RawExchange;
  constructor(message: IncomingMessage, raw: () => RawExchange) { this.#message = message; this.raw = raw; }
  get remoteAddress(): string { return this.#message.socket.remoteAddress ?? ""; }
  get rawHeaders(): readonly string[] { return this.#message.rawHeaders; }
  clientCertificate(): { der: Buffer; verified: boolean } | undefined { return clientCertificateOf(this.#message.socket as TLSSocket); }
  onClose(listener: () => void): void { this.#message.socket.once("close", listener); }

  readBody(): Promise<Buffer> {
    const message = this.#message;
    if (Number(message.headers["content-length"] ?? 0) > BODY_MAX_BYTES) return Promise.reject(tooLarge());
    return new Promise((resolve, reject) => {
      let first: Buffer | undefined, parts: Buffer[] | undefined, size = 0;
      message.on("data", (part: Buffer) => {
        size += part.length;
        if (size > BODY_MAX_BYTES) { message.pause(); reject(tooLarge()); return; }
        if (first === undefined) first = part;
        else (parts ??= [first]).push(part);
      });
      message.on("end", () => resolve(parts === undefined ? first ?? Buffer.alloc(0) : Buffer.concat(parts, size)));
      message.on("error", () => reject(cutOff()));
    });
  }
}

export function http1Request(message: IncomingMessage, response: ServerResponse, receivedMs: number): ApiRequest {
  const raw = (): RawExchange => ({
    body: message, upgrade: undefined,
    respond: (status, headers) => { response.writeHead(status, headers); response.flushHeaders(); return response; },
    begun: () => response.headersSent,
    abort: () => response.destroy(),
  });
  return new ApiRequest(message.method!, message.url!, message.headers, "HTTP/1.1", new Http1Source(message, raw), receivedMs);
}

class Http1Stream implements ResponseStream {
  readonly #response: ServerResponse;
  constructor(response: ServerResponse) { this.#response = response; }
  get closed(): boolean { return this.#response.destroyed || this.#response.writableEnded; }
  write(chunk: Buffer, written?: () => void): boolean { return this.closed || this.#response.write(chunk, unlessFailed(written)); }
  bufferedBytes(): number { return this.#response.writableLength; }
  end(): void { if (!this.closed) this.#response.end(); }
  abort(): void { this.#response.destroy(); }
  onClose(listener: () => void): void { this.#response.once("close", listener); }
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) return resolve();
      const done = (): void => { this.#response.off("drain", done).off("close", done); resolve(); };
      this.#response.on("drain", done).on("close", done);
    });
  }
}

export class Http1Sink implements ResponseSink {
  readonly #message: IncomingMessage;
  readonly #response: ServerResponse;
  constructor(message: IncomingMessage, response: ServerResponse) { this.#message = message; this.#response = response; }

  complete(status: number, headers: Record<string, string | string[]>, body: Buffer | string): void {
    this.#closeWhenUnread(headers);
    this.#response.writeHead(status, headers);
    this.#response.end(body);
  }
  start(status: number, headers: Record<string, string | string[]>): ResponseStream {
    this.#closeWhenUnread(headers);
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
    return new Http1Stream(this.#response);
  }
  /** A body nobody read (an early 401, a 413) would be taken for the next request: end the connection instead. */
  #closeWhenUnread(headers: Record<string, string | string[]>): void {
    const message = this.#message;
    if (message.complete || (message.headers["content-length"] === undefined && message.headers["transfer-encoding"] === undefined)) return;
    headers["connection"] = "close";
  }
}
