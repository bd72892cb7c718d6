/**
 * A byte stream inside a WebSocket: binary messages, put end to end. Port-forward runs SPDY in it
 * (sub-protocol `SPDY/3.1+portforward.k8s.io`). Counterpart: apimachinery `portforward` tunneling connection.
 */
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket } from "ws";

export const TUNNEL_PROTOCOL_PREFIX = "SPDY/3.1+";

/** The bytes as a Duplex; ending it closes the socket. */
export const tunnelStream = (socket: WebSocket): Duplex => createWebSocketStream(socket, { highWaterMark: 64 * 1024 });

/** How long a backend may take for the last bytes of a client that has gone. */
export const FLUSH_MAX_MS = 10_000;

/**
 * Joins two byte streams: what either sends the other gets, and the end of one is the end of both. Resolves then; never rejects.
 *
 * The last words of a backend reach the client whether the backend closed or broke (the exit status of a command is among them);
 * until the client closes too, what it sends is dropped, for to cut it with bytes unread would take back what it was told.
 * With the client gone nobody is left to hear: the backend gets what is on its way, for FLUSH_MAX_MS at most, and is cut.
 */
export function joinStreams(client: Duplex, backend: Duplex): Promise<void> {
  const closed = (stream: Duplex): Promise<void> => new Promise((resolve) => {
    stream.on("error", () => { /* Its close follows. */ });
    stream.once("close", resolve);
    if (stream.destroyed) resolve();
  });
  const clientClosed = closed(client).then(() => flushAndCut(backend));
  const backendClosed = closed(backend).then(() => {
    for (let rest = backend.read() as Buffer | null; rest !== null; rest = backend.read() as Buffer | null) client.write(rest); // It broke while the client was behind.
    client.end();
    client.resume();
  });
  client.pipe(backend);
  backend.pipe(client);
  return Promise.all([clientClosed, backendClosed]).then(() => {});
}

function flushAndCut(stream: Duplex): void {
  if (stream.destroyed) return;
  const cut = (): void => { clearTimeout(timer); stream.destroy(); }, timer = setTimeout(cut, FLUSH_MAX_MS);
  stream.once("close", () => clearTimeout(timer));
  stream.resume();
  stream.end(cut); // Called at once when it broke.
}
