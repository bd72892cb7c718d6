/** WebSocket upgrades: which sub-protocol, and the socket. Framing is the `ws` package's. Counterpart: apimachinery `httpstream/wsstream`. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";

/** Whether the request asks for a WebSocket. */
export const asksWebSocket = (headers: IncomingHttpHeaders): boolean =>
  /(^|,)\s*upgrade\s*(,|$)/i.test(headers.connection ?? "") && (headers.upgrade ?? "").toLowerCase() === "websocket";

/** Sub-protocols the client offers, best first. */
export const offeredWebSocketProtocols = (headers: IncomingHttpHeaders): string[] =>
  String(headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim()).filter((protocol) => protocol !== "");

/** Largest message accepted: clients send what they read from a pipe, far less. */
export const MESSAGE_MAX_BYTES = 32 * 1024 * 1024;

/**
 * Answers the upgrade with `protocol` ("" names none). Rejects when the handshake is malformed (answered then with 400).
 * The sub-protocol is kept from `ws`: `SPDY/3.1+portforward.k8s.io` has a slash, which its parser refuses and clients send.
 */
export function acceptWebSocket(headers: IncomingHttpHeaders, socket: Duplex, head: Buffer, protocol: string): Promise<WebSocket> {
  const { "sec-websocket-protocol": _protocols, ...rest } = headers;
  return new Promise((resolve, reject) => {
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false, maxPayload: MESSAGE_MAX_BYTES });
    server.on("headers", (lines) => { if (protocol !== "") lines.push(`Sec-WebSocket-Protocol: ${protocol}`); });
    server.on("wsClientError", (error, broken) => {
      broken.end(`HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(error.message)}\r\n\r\n${error.message}`);
      reject(error);
    });
    // Of the request only these are looked at.
    server.handleUpgrade({ method: "GET", headers: rest, url: "/" } as IncomingMessage, socket, head, resolve);
  });
}
