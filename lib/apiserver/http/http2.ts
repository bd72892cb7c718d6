/** HTTP/2: a core stream (not node's compatibility layer, which costs a fifth) as ApiRequest and ResponseSink. */
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { TLSSocket } from "node:tls";
import { clientCertificateOf } from "./client-certificate.ts";
import { ApiRequest, BODY_MAX_BYTES, type RawExchange, type RequestSource, type ResponseStream } from "./exchange.ts";
import { cutOff, tooLarge } from "./http1.ts";
import { unlessFailed, type ResponseSink } from "./respond.ts";

class Http2Source implements RequestSource {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #endOfStream: boolean;
  readonly rawHeaders: readonly string[];
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[], endOfStream: boolean) {
    this.#stream = stream;
    this.#headers = headers;
    this.rawHeaders = rawHeaders;
    this.#endOfStream = endOfStream;
  }
  get remoteAddress(): string { return this.#stream.session?.socket.remoteAddress ?? ""; }
  clientCertificate(): { der: Buffer; verified: boolean } | undefined {
    const session = this.#stream.session;
    return session === undefined ? undefined : clientCertificateOf(session.socket as TLSSocket);
  }
  onClose(listener: () => void): void { this.#stream.once("close", listener); }
  raw(): RawExchange {
    const stream = this.#stream;
    return {
      body: stream, upgrade: undefined,
      respond: (status, headers) => { stream.respond({ ...headers, ":status": status }); return stream; },
      begun: () => stream.headersSent,
      abort: () => { stream.close(constants.NGHTTP2_INTERNAL_ERROR); },
    };
  }

  readBody(): Promise<Buffer> {
    if (this.#endOfStream) return Promise.resolve(Buffer.alloc(0));
    if (Number(this.#headers["content-length"] ?? 0) > BODY_MAX_BYTES) return Promise.reject(tooLarge());
    const stream = this.#stream;
    return new Promise((resolve, reject) => {
      let first: Buffer | undefined, parts: Buffer[] | undefined, size = 0;
      stream.on("data", (part: Buffer) => {
        size += part.length;
        if (size > BODY_MAX_BYTES) { stream.pause(); reject(tooLarge()); return; }
        if (first === undefined) first = part;
        else (parts ??= [first]).push(part);
      });
      stream.on("end", () => resolve(parts === undefined ? first ?? Buffer.alloc(0) : Buffer.concat(parts, size)));
      stream.on("error", () => reject(cutOff()));
      stream.on("aborted", () => reject(cutOff()));
    });
  }
}

const END_STREAM_FLAG = 0x1;

export function http2Request(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[], flags: number, receivedMs: number): ApiRequest {
  const source = new Http2Source(stream, headers, rawHeaders, (flags & END_STREAM_FLAG) !== 0);
  return new ApiRequest(headers[":method"]!, headers[":path"]!, headers as ApiRequest["headers"], "HTTP/2.0", source, receivedMs);
}

class Http2Stream implements ResponseStream {
  readonly #stream: ServerHttp2Stream;
  constructor(stream: ServerHttp2Stream) { this.#stream = stream; }
  get closed(): boolean { return this.#stream.destroyed || this.#stream.closed || this.#stream.writableEnded; }
  write(chunk: Buffer, written?: () => void): boolean { return this.closed || this.#stream.write(chunk, unlessFailed(written)); }
  bufferedBytes(): number { return this.#stream.writableLength; }
  end(): void { if (!this.closed) this.#stream.end(); }
  abort(): void { this.#stream.destroy(); }
  onClose(listener: () => void): void { this.#stream.once("close", listener); }
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed) return resolve();
      const done = (): void => { this.#stream.off("drain", done).off("close", done); resolve(); };
      this.#stream.on("drain", done).on("close", done);
    });
  }
}

export class Http2Sink implements ResponseSink {
  readonly #stream: ServerHttp2Stream;
  constructor(stream: ServerHttp2Stream) { this.#stream = stream; }
  complete(status: number, headers: Record<string, string | string[]>, body: Buffer | string): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed) return;
    stream.respond({ ":status": status, ...headers });
    stream.end(body);
    stream.resume(); // A body nobody read must not hold the session's window.
  }
  start(status: number, headers: Record<string, string | string[]>): ResponseStream {
    if (!this.#stream.destroyed && !this.#stream.closed) {
      this.#stream.respond({ ":status": status, ...headers });
      this.#stream.resume();
    }
    return new Http2Stream(this.#stream);
  }
}
