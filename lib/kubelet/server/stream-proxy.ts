/**
 * Passes an upgraded connection (SPDY or WebSocket) on to the runtime's streaming server, byte for byte.
 *
 * Guarantees: nothing of the stream is read or changed; either end closing closes the other, and what the runtime said until then
 * reaches the client. Counterpart: kubelet `server.go` proxyStream.
 */
import net from "node:net";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { joinStreams } from "../../streams/websocket/tunnel.ts";

const HOP_HEADERS = new Set(["host", "authorization"]);
const CONNECT_TIMEOUT_MS = 10_000;

/** Sends the request on to `url` and joins the two connections. `head` is what the client sent beyond its headers. */
export function proxyUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
  const upstream = net.connect({ host: url.hostname, port: Number(url.port) });
  upstream.setTimeout(CONNECT_TIMEOUT_MS, () => upstream.destroy(new Error("timed out")));
  upstream.on("connect", () => {
    upstream.setTimeout(0);
    upstream.setNoDelay(true);
    const lines = [`${request.method} ${url.pathname}${url.search} HTTP/1.1`, `Host: ${url.host}`];
    for (let i = 0; i < request.rawHeaders.length; i += 2) if (!HOP_HEADERS.has(request.rawHeaders[i]!.toLowerCase())) lines.push(`${request.rawHeaders[i]}: ${request.rawHeaders[i + 1]}`);
    upstream.write(`${lines.join("\r\n")}\r\n\r\n`);
    if (head.length > 0) upstream.write(head);
    void joinStreams(socket, upstream);
  });
  let answered = false;
  upstream.once("data", () => { answered = true; });
  upstream.on("error", (error) => {
    if (!answered && socket.writable) socket.resume().end(`HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\ncannot reach the container runtime's streaming server: ${error.message}\n`);
  });
  socket.on("error", () => { /* Its close follows. */ });
  socket.on("close", () => { if (upstream.connecting) upstream.destroy(); });
}
