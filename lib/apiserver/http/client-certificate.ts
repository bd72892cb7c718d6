/** The certificate a connection's peer showed, read once a connection. */
import type { TLSSocket } from "node:tls";

type Shown = { der: Buffer; verified: boolean } | undefined;
const shown = new WeakMap<TLSSocket, { value: Shown }>();

/** `verified`: its chain leads to the client CA and its dates hold. HTTP/2 sessions hand out a proxy of the socket, which is as good a key. */
export function clientCertificateOf(socket: TLSSocket): Shown {
  const known = shown.get(socket);
  if (known !== undefined) return known.value;
  const raw = (socket.getPeerCertificate() as { raw?: Buffer } | null)?.raw;
  const value = raw === undefined ? undefined : { der: raw, verified: socket.authorized };
  shown.set(socket, { value });
  return value;
}
