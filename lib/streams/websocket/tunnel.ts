/**
 * A byte stream inside a WebSocket: binary messages, put end to end. Port-forward runs SPDY in it
 * (sub-protocol `SPDY/3.1+portforward.k8s.io`). Counterpart: apimachinery `portforward` tunneling connection.
 */
import type { Duplex } from "node:stream";
import { createWebSocketStream, type WebSocket } from "ws";

export const TUNNEL_PROTOCOL_PREFIX = "SPDY/3.1+";

/** The bytes as a Duplex; ending it closes the socket. */
export const tunnelStream = (socket: WebSocket): Duplex => createWebSocketStream(socket, { highWaterMark: 64 * 1024 });

/** Joins two byte streams: what either sends the other gets, and the end of one is the end of both. Resolves then; never rejects. */
export function joinStreams(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const watch = (one: Duplex, other: Duplex): void => {
      one.on("error", () => other.destroy());
      one.on("close", () => {
        // Let what is on its way out leave; a peer that takes nothing any more is cut by its own close.
        if (!other.destroyed) { if (one.readableEnded) other.end(); else other.destroy(); }
        if (--open === 0) resolve();
      });
      one.pipe(other);
    };
    watch(a, b);
    watch(b, a);
  });
}
