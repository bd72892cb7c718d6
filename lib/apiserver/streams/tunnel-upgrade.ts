/**
 * An upgraded connection passed on byte for byte: what the client and the backend agree on is theirs alone.
 * A backend that does not upgrade answers the client itself. Counterpart: apimachinery `util/proxy/upgradeaware.go`.
 */
import http, { type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import https from "node:https";
import { pipeline } from "node:stream/promises";
import { joinStreams } from "../../streams/websocket/tunnel.ts";
import type { StreamCall } from "../contracts.ts";
import { limitDial, tlsTo } from "./backend-request.ts";
import type { TlsOptions } from "./kubelet-connection.ts";

/** Not passed on: who the client is to us is no business of the backend's, and the connection is another. */
const KEPT_BACK = new Set(["authorization", "connection", "upgrade", "keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "http2-settings"]);
const BEARER_PROTOCOL = /^base64url\.bearer\.authorization\.k8s\.io\./;

/** The client's headers as the backend may see them. */
export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const forwarded: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":") || KEPT_BACK.has(name) || name.startsWith("impersonate-") || name.startsWith("x-remote-")) continue;
    forwarded[name] = value;
  }
  const protocols = forwarded["sec-websocket-protocol"];
  if (protocols !== undefined) {
    // Browsers put their token among the protocols.
    const rest = String(protocols).split(",").map((protocol) => protocol.trim()).filter((protocol) => !BEARER_PROTOCOL.test(protocol));
    if (rest.length > 0) forwarded["sec-websocket-protocol"] = rest.join(", ");
    else delete forwarded["sec-websocket-protocol"];
  }
  return forwarded;
}

/** Settles when both connections are closed. Rejects, with nothing answered, when the backend cannot be reached. */
export async function tunnelUpgrade(call: StreamCall, target: { url: URL; tls: TlsOptions | undefined; headers?: Record<string, string> }): Promise<void> {
  const { socket, head } = call.upgrade!, { url } = target;
  const headers = { ...forwardedHeaders(call.headers), ...target.headers, connection: "Upgrade", upgrade: call.headers.upgrade ?? "" };
  const answer = await new Promise<{ response: IncomingMessage; upgraded: { socket: typeof socket; head: Buffer } | undefined }>((resolve, reject) => {
    const options = { method: call.method, headers, agent: false, signal: call.signal };
    const sent = url.protocol === "https:" ? https.request(url, { ...options, ...tlsTo(url, target.tls) }) : http.request(url, options);
    limitDial(sent, url);
    sent.on("error", reject);
    sent.on("response", (response) => resolve({ response, upgraded: undefined }));
    sent.on("upgrade", (response, backend, backendHead) => {
      backend.setTimeout(0);
      backend.setNoDelay(true);
      resolve({ response, upgraded: { socket: backend, head: backendHead } });
    });
    sent.end();
  });
  const { response, upgraded } = answer;
  if (upgraded === undefined) {
    const { connection: _connection, "transfer-encoding": _encoding, ...rest } = response.headers;
    await pipeline(response, call.respond(response.statusCode ?? 502, rest));
    return;
  }
  const lines = [`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`];
  for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}`);
  socket.write(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (upgraded.head.length > 0) socket.write(upgraded.head);
  if (head.length > 0) upgraded.socket.write(head);
  await joinStreams(socket, upgraded.socket);
}
