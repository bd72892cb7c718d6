/** The address this host sends from towards another: what the kernel's routes say. Nothing is sent. */
import { createSocket } from "node:dgram";
import { isIP } from "node:net";

/** undefined when there is no way there, or the name is not known. */
export function sourceAddress(host: string, port: number): Promise<string | undefined> {
  const socket = createSocket(isIP(host) === 6 ? "udp6" : "udp4");
  return new Promise((resolve) => {
    socket.once("error", () => { socket.close(); resolve(undefined); });
    socket.once("connect", () => { const { address } = socket.address(); socket.close(); resolve(address); });
    socket.connect(port, host); // Of UDP this is only a look at the routes.
  });
}
