/**
 * Requests that ask to leave HTTP/1.1 (exec, attach, port-forward): the handler gets the bare socket.
 * What is answered before, an error for one, is written by hand, because node's parser has let go of the connection.
 */
import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiRequest, type RawExchange, type ResponseStream } from "./exchange.ts";
import { Http1Source } from "./http1.ts";
import type { ResponseSink } from "./respond.ts";

export function upgradeRequest(message: IncomingMessage, socket: Duplex, head: Buffer, receivedMs: number): ApiRequest {
  socket.on("error", () => { /* Its close event tells whoever needs to know. */ });
  const written = (socket as Duplex & { bytesWritten?: number }).bytesWritten ?? 0;
  const exchange: RawExchange = {
    body: message, upgrade: { socket, head },
    respond: (status, headers) => { writeHead(socket, status, headers as Record<string, string | string[]>); return socket; },
    begun: () => ((socket as Duplex & { bytesWritten?: number }).bytesWritten ?? 0) > written,
    abort: () => socket.destroy(),
  };
  return new ApiRequest(message.method!, message.url!, message.headers, "HTTP/1.1", new Http1Source(message, () => exchange), receivedMs);
}

function writeHead(socket: Duplex, status: number, headers: Readonly<Record<string, string | string[] | number | undefined>>): void {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`];
  for (const [name, value] of Object.entries({ ...headers, connection: "close" })) {
    if (value !== undefined) for (const each of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${String(each).replace(/[\r\n]/g, " ")}`);
  }
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/** Plain answers on a connection that asked for an upgrade; the connection ends with them. */
export class UpgradeSink implements ResponseSink {
  readonly #socket: Duplex;
  constructor(socket: Duplex) { this.#socket = socket; }
  complete(status: number, headers: Record<string, string | string[]>, body: Buffer | string): void {
    if (this.#socket.destroyed) return;
    writeHead(this.#socket, status, headers);
    this.#socket.end(body);
  }
  start(status: number, headers: Record<string, string | string[]>): ResponseStream {
    const socket = this.#socket;
    if (!socket.destroyed) writeHead(socket, status, headers);
    return {
      get closed() { return socket.destroyed || socket.writableEnded; },
      write: (chunk) => socket.destroyed || socket.writableEnded || socket.write(chunk),
      bufferedBytes: () => socket.writableLength,
      end: () => { if (!socket.writableEnded) socket.end(); },
      abort: () => socket.destroy(),
      onClose: (listener) => { socket.once("close", listener); },
      drained: () => new Promise((resolve) => {
        if (socket.destroyed) return resolve();
        const done = (): void => { socket.off("drain", done).off("close", done); resolve(); };
        socket.on("drain", done).on("close", done);
      }),
    };
  }
}
