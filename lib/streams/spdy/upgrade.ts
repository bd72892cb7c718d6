/**
 * From HTTP/1.1 to SPDY/3.1: the asking side and the answering side of the upgrade, with the sub-protocol both agree on.
 * Counterpart: apimachinery `util/httpstream`.
 */
import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import { SpdyConnection } from "./spdy-connection.ts";
import type { SpdyStream } from "./spdy-stream.ts";

export const SPDY_UPGRADE = "SPDY/3.1";
const PROTOCOL_HEADER = "x-stream-protocol-version", ACCEPTED_HEADER = "X-Accepted-Stream-Protocol-Versions";
const BODY_MAX_BYTES = 64 * 1024;

/** Whether the request asks for SPDY. */
export const asksSpdy = (headers: IncomingHttpHeaders): boolean =>
  /(^|,)\s*upgrade\s*(,|$)/i.test(headers.connection ?? "") && (headers.upgrade ?? "").toLowerCase() === SPDY_UPGRADE.toLowerCase();

/** The sub-protocols a client offers, best first. */
export function offeredProtocols(headers: IncomingHttpHeaders): string[] {
  const value = headers[PROTOCOL_HEADER];
  return (Array.isArray(value) ? value : (value ?? "").split(",")).map((protocol) => protocol.trim()).filter((protocol) => protocol !== "");
}

/** Answers an upgrade request. undefined (and a 403 that lists ours) when no sub-protocol is common. */
export function acceptSpdy(headers: IncomingHttpHeaders, socket: Duplex, head: Buffer, options: { protocols: readonly string[]; onStream: (stream: SpdyStream) => void }): { connection: SpdyConnection; protocol: string } | undefined {
  const offered = offeredProtocols(headers), protocol = offered.find((each) => options.protocols.includes(each)) ?? (offered.length === 0 ? "" : undefined);
  if (protocol === undefined) {
    const why = `unable to upgrade: unable to negotiate protocol: client supports ${JSON.stringify(offered)}, server accepts ${JSON.stringify(options.protocols)}\n`;
    const accepted = options.protocols.map((each) => `${ACCEPTED_HEADER}: ${each}\r\n`).join("");
    socket.end(`HTTP/1.1 403 Forbidden\r\n${accepted}Content-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(why)}\r\nConnection: close\r\n\r\n${why}`);
    return undefined;
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${SPDY_UPGRADE}\r\n${protocol === "" ? "" : `X-Stream-Protocol-Version: ${protocol}\r\n`}\r\n`);
  return { connection: new SpdyConnection(socket, { role: "server", onStream: options.onStream, head }), protocol };
}

/** The peer answered an upgrade request with something else. */
export class UpgradeRefusedError extends Error {
  override readonly name = "UpgradeRefusedError";
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`the peer refused to upgrade: ${status} ${body.trim()}`);
    this.status = status;
    this.body = body;
  }
}

export interface UpgradeRequest {
  readonly url: URL;
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  /** Certificates and the like, for https. */
  readonly tls?: Pick<RequestOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername" | "checkServerIdentity">;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

/** Sends a request with `Upgrade: upgrade` and gives the raw connection. Rejects with UpgradeRefusedError, or what the connection failed of. */
export function requestUpgrade(request: UpgradeRequest, upgrade: string): Promise<{ response: IncomingMessage; socket: Duplex; head: Buffer }> {
  const { url, tls, signal, timeoutMs = 30_000 } = request;
  return new Promise((resolve, reject) => {
    const options = { method: request.method ?? "GET", headers: { ...request.headers, connection: "Upgrade", upgrade }, agent: false, timeout: timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const sent = url.protocol === "https:" ? https.request(url, { ...options, ...tls }) : http.request(url, options);
    sent.on("timeout", () => sent.destroy(new Error(`no answer from ${url.host} within ${timeoutMs} ms`)));
    sent.on("error", reject);
    sent.on("upgrade", (response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve({ response, socket, head });
    });
    sent.on("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => { if (body.length < BODY_MAX_BYTES) body += part; });
      response.on("end", () => reject(new UpgradeRefusedError(response.statusCode ?? 0, body)));
      response.on("error", reject);
    });
    sent.end();
  });
}

/** Asks for SPDY with one of `protocols`. Rejects as `requestUpgrade`, and when the peer picked none of them. */
export async function connectSpdy(request: UpgradeRequest, protocols: readonly string[]): Promise<{ connection: SpdyConnection; protocol: string }> {
  const { response, socket, head } = await requestUpgrade({ method: "POST", ...request, headers: { ...request.headers, "X-Stream-Protocol-Version": [...protocols] } }, SPDY_UPGRADE);
  const chosen = response.headers[PROTOCOL_HEADER], protocol = typeof chosen === "string" ? chosen : "";
  if (protocol !== "" && !protocols.includes(protocol)) {
    socket.destroy();
    throw new UpgradeRefusedError(101, `unexpected stream protocol ${JSON.stringify(protocol)}`);
  }
  return { connection: new SpdyConnection(socket, { role: "client", head }), protocol };
}
