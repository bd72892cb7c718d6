/**
 * The secure port: one TLS listener, HTTP/2 or HTTP/1.1 by ALPN, client certificates asked for but not demanded.
 *
 * Guarantees: a client that sends its headers or body too slowly is cut off; a certificate file that changed is served to
 * new connections within RELOAD_PERIOD_MS; closing lets running answers end for a moment, then cuts.
 * HTTP/2 sessions are made from the TLS socket directly, so neither protocol passes through the other's compatibility layer.
 * TLS sessions are never resumed: a resumed one would skip the check against a renewed client CA.
 * Counterpart: apiserver `server/secure_serving.go` and `dynamiccertificates`.
 */
import { constants } from "node:crypto";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { Logger } from "../../util/logger.ts";
import type { ApiRequest } from "./exchange.ts";
import { Http1Sink, http1Request } from "./http1.ts";
import { Http2Sink, http2Request } from "./http2.ts";
import type { ResponseSink } from "./respond.ts";
import { UpgradeSink, upgradeRequest } from "./upgrade.ts";

export interface ServingCertificates { readonly certificatePem: string; readonly keyPem: string; readonly clientCaPem: string | undefined }

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly certificates: ServingCertificates;
  readonly log: Logger;
  /** Answers one request, an `Upgrade` on HTTP/1.1 (exec, attach, port-forward) included; must not reject. */
  readonly serve: (request: ApiRequest, sink: ResponseSink) => void;
}

const HANDSHAKE_TIMEOUT_MS = 10_000, HEADERS_TIMEOUT_MS = 30_000, REQUEST_TIMEOUT_MS = 60_000, KEEP_ALIVE_TIMEOUT_MS = 180_000;
const STREAMS_MAX = 250, SESSION_MEMORY_MB = 64, WINDOW_BYTES = 1 << 20;
const PING_PERIOD_MS = 30_000, PING_TIMEOUT_MS = 15_000;
const CLOSE_GRACE_MS = 2_000;

const secureContext = (certificates: ServingCertificates): SecureContextOptions => ({
  cert: certificates.certificatePem, key: certificates.keyPem,
  ...(certificates.clientCaPem === undefined ? {} : { ca: certificates.clientCaPem }),
  minVersion: "TLSv1.2", secureOptions: constants.SSL_OP_NO_TICKET,
});

/** Pings until the session closes: a peer that was powered off sends no reset, and only this finds out. */
function keepAlive(session: ServerHttp2Session, log: Logger): void {
  let waiting: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    if (session.closed || session.destroyed || waiting !== undefined) return;
    waiting = setTimeout(() => { log.debug({}, "HTTP/2 peer answers no PING, closing"); session.destroy(); }, PING_TIMEOUT_MS);
    session.ping(() => { clearTimeout(waiting); waiting = undefined; });
  }, PING_PERIOD_MS);
  timer.unref();
  session.once("close", () => { clearInterval(timer); clearTimeout(waiting); });
}

/**
 * Lets node's HTTP/1.1 parser read what the socket emits, not its handle. From the handle it is given the rest of what is decrypted even
 * while it is paused, because an answer waits for its reader, fails with HPE_PAUSED and takes the connection with it (node 26.10).
 * The mark is node's own: it is set on handles that another parser reads.
 */
function readThroughStream(socket: TLSSocket): void {
  const { _handle: handle } = socket as unknown as { _handle?: { _consumed?: boolean } | null };
  if (handle !== null && handle !== undefined) handle._consumed = true;
}

export class Listener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  readonly #http2: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<TLSSocket>();

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#server = createServer({
      ...secureContext(options.certificates), requestCert: true, rejectUnauthorized: false, handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      ALPNProtocols: ["h2", "http/1.1"], headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, connectionsCheckingInterval: 10_000, noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000,
    });
    this.#http2 = createHttp2Server({
      settings: { maxConcurrentStreams: STREAMS_MAX, initialWindowSize: WINDOW_BYTES }, maxSessionMemory: SESSION_MEMORY_MB,
    });
    this.#listen();
  }

  #listen(): void {
    const { serve, log } = this.#options, server = this.#server;
    const toHttp1 = server.listeners("secureConnection") as ((socket: TLSSocket) => void)[];
    server.removeAllListeners("secureConnection");
    server.on("secureConnection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      if (socket.alpnProtocol === "h2") this.#http2.emit("connection", socket);
      else {
        readThroughStream(socket);
        for (const listener of toHttp1) listener.call(server, socket);
      }
    });
    server.on("request", (message, response) => serve(http1Request(message, response, performance.now()), new Http1Sink(message, response)));
    server.on("upgrade", (message, socket, head) => serve(upgradeRequest(message, socket, head, performance.now()), new UpgradeSink(socket)));
    server.on("tlsClientError", (error, socket) => { log.debug({ error, remote: socket.remoteAddress }, "TLS handshake failed"); });
    this.#http2.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
      session.setLocalWindowSize(WINDOW_BYTES * 4);
      keepAlive(session, log);
    });
    this.#http2.on("sessionError", (error) => { log.debug({ error }, "HTTP/2 session failed"); });
    this.#http2.on("stream", (stream, headers, flags, rawHeaders) => {
      stream.on("error", () => { /* A reset stream: its close event tells whoever needs to know. */ });
      const served = stream as ServerHttp2Stream;
      serve(http2Request(served, headers, rawHeaders as unknown as string[], flags, performance.now()), new Http2Sink(served));
    });
  }

  /** Resolves with the port once clients can connect. Throws when it cannot be had. */
  start(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        const why = error.code === "EADDRINUSE" ? "another program has the port" : error.code === "EADDRNOTAVAIL" ? "this machine does not have the address" : error.message;
        reject(new Error(`Cannot serve on "${host}:${port}": ${why}`, { cause: error }));
      };
      this.#server.once("error", failed);
      this.#server.listen({ host, port, backlog: 1024 }, () => {
        this.#server.off("error", failed);
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** New connections are greeted with these; running ones keep theirs. */
  setCertificates(certificates: ServingCertificates): void { this.#server.setSecureContext(secureContext(certificates)); }

  /** Ends sessions politely, then cuts what is left after a moment. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const cut = setTimeout(() => { for (const socket of this.#sockets) socket.destroy(); }, CLOSE_GRACE_MS);
      this.#server.close(() => { clearTimeout(cut); resolve(); });
      for (const session of this.#sessions) session.close();
      this.#server.closeIdleConnections();
    });
  }
}
