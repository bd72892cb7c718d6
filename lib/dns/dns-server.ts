/**
 * DNS server: listens on UDP and TCP, gives each message to a resolver.
 *
 * Promises: `run` rejects when an address cannot be bound, and settles when all sockets are closed; a client that misbehaves costs
 * at most one connection; TCP connections are bounded in number and in idle time (RFC 7766).
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { aborted } from "../util/abort.ts";
import type { Runnable } from "../util/runnable.ts";
import type { Resolver } from "./resolver.ts";

export interface DnsAddress { readonly address: string; readonly port: number }

export const TCP_CLIENTS_MAX = 500;
const TCP_IDLE_MS = 10_000, RECEIVE_BUFFER_BYTES = 1 << 20;

export class DnsServer implements Runnable {
  readonly name = "dns server";
  /** Resolves when every address is bound. */
  readonly listening: Promise<void>;
  readonly #resolver: Pick<Resolver, "handle">;
  readonly #addresses: readonly DnsAddress[];
  #markListening!: () => void;

  constructor(resolver: Pick<Resolver, "handle">, addresses: readonly DnsAddress[]) {
    this.#resolver = resolver;
    this.#addresses = addresses;
    this.listening = new Promise((resolve) => { this.#markListening = resolve; });
  }

  async run(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const udp: UdpSocket[] = [], tcp: Server[] = [], clients = new Set<Socket>();
    try {
      for (const address of this.#addresses) {
        udp.push(await this.#listenUdp(address));
        tcp.push(await this.#listenTcp(address, clients));
      }
      this.#markListening();
      await aborted(signal);
    } finally {
      for (const client of clients) client.destroy();
      await Promise.all([...udp.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))), ...tcp.map((server) => new Promise((resolve) => server.close(resolve)))]);
    }
  }

  #listenUdp({ address, port }: DnsAddress): Promise<UdpSocket> {
    return new Promise((resolve, reject) => {
      const socket = createSocket({ type: address.includes(":") ? "udp6" : "udp4" });
      socket.once("error", (error) => reject(new Error(`Cannot answer DNS on ${address}:${port}: ${error.message}`, { cause: error })));
      socket.bind({ address, port, exclusive: true }, () => {
        socket.removeAllListeners("error");
        socket.on("error", () => {}); // An answer could not be sent: the client asks again.
        try { socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES); } catch { /* The default is then what there is. */ }
        socket.on("message", (message, from) => {
          void this.#resolver.handle(message, "udp").then((answer) => { if (answer !== undefined) socket.send(answer, from.port, from.address, () => {}); }, () => {});
        });
        resolve(socket);
      });
    });
  }

  #listenTcp({ address, port }: DnsAddress, clients: Set<Socket>): Promise<Server> {
    return new Promise((resolve, reject) => {
      const server = createServer((client) => {
        clients.add(client);
        client.on("close", () => clients.delete(client));
        client.on("error", () => client.destroy());
        client.setTimeout(TCP_IDLE_MS, () => client.destroy());
        this.#serveClient(client);
      });
      server.maxConnections = TCP_CLIENTS_MAX;
      server.once("error", (error) => reject(new Error(`Cannot answer DNS on ${address}:${port}/tcp: ${error.message}`, { cause: error })));
      server.listen({ host: address, port, exclusive: true }, () => resolve(server));
    });
  }

  #serveClient(client: Socket): void {
    let held: Buffer = Buffer.alloc(0);
    client.on("data", (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0), message = held.subarray(2, end);
        held = held.subarray(end);
        void this.#resolver.handle(message, "tcp").then((answer) => {
          if (answer === undefined) return client.destroy();
          const length = Buffer.alloc(2);
          length.writeUInt16BE(answer.length);
          return client.write(Buffer.concat([length, answer]));
        }, () => client.destroy());
      }
    });
  }
}
