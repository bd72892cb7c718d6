/**
 * One HTTP/2 connection to an API server.
 *
 * Promises: while a stream is open a peer that died without a word (powered off, cut off, frozen) is noticed within
 * PING_INTERVAL_MS + PING_TIMEOUT_MS, and every stream then fails; nothing is sent while no stream is open; our own
 * event loop having been blocked is not held against the peer. Counterpart: client-go's http2 ReadIdleTimeout and PingTimeout.
 *
 *   connecting ──► open ──► draining (no new streams; GOAWAY or new credentials) ──► closed
 */
import http2 from "node:http2";
import { ConnectionError } from "./client.ts";
import type { Clock } from "../util/clock.ts";

export const CONNECT_TIMEOUT_MS = 5_000;
export const PING_INTERVAL_MS = 4_000;
export const PING_TIMEOUT_MS = 5_000;
/** A connection without streams is closed after this: its peer may be gone, and a new one costs a millisecond. */
export const IDLE_CLOSE_MS = 30_000;
/** Watches on a connection with outdated credentials get this long to be cut over. */
export const DRAIN_MS = 2_000;
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;
/** A timer this late means that we were blocked, not the peer. */
const LATE_MS = 1_000;

export interface ConnectOptions {
  readonly server: string;
  readonly tls: { ca?: string; cert?: string; key?: string };
  readonly serverName?: string | undefined;
  readonly insecureSkipVerify?: boolean | undefined;
  /** Of the credentials it was made with. */
  readonly version: number;
}

export class Connection {
  readonly version: number;
  readonly #session: http2.ClientHttp2Session;
  readonly #clock: Clock;
  readonly #server: string;
  #streams = 0;
  #idleSinceMs: number;
  #bytesRead = 0;
  #cancelTimer: () => void = () => {};
  #draining = false;
  /** Why the connection was cut by us; told to every stream's owner. */
  #cause: Error | undefined;

  /** Resolves when TLS and ALPN are through. Throws ConnectionError. */
  static async open(options: ConnectOptions, clock: Clock): Promise<Connection> {
    const session = http2.connect(options.server, {
      ...options.tls,
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
      rejectUnauthorized: options.insecureSkipVerify !== true,
      settings: { enablePush: false, initialWindowSize: STREAM_WINDOW_BYTES },
      maxSessionMemory: 256,
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (error: Error): void => {
        cancel();
        session.destroy();
        reject(new ConnectionError(`Cannot connect to ${options.server}: ${error.message}`, { cause: error }));
      };
      const cancel = clock.after(CONNECT_TIMEOUT_MS, () => fail(new Error(`no answer within ${CONNECT_TIMEOUT_MS} ms`)));
      session.once("error", fail);
      session.once("close", () => fail(new Error("the connection was closed")));
      session.once("connect", () => { cancel(); session.removeListener("error", fail); session.removeAllListeners("close"); resolve(); });
    });
    return new Connection(session, options, clock);
  }

  private constructor(session: http2.ClientHttp2Session, options: ConnectOptions, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#server = options.server;
    this.version = options.version;
    this.#idleSinceMs = clock.monotonicMs();
    session.on("error", (error) => { this.#cause ??= error; }); // Each stream reports it; here it only must not be unhandled.
    session.on("goaway", () => { this.#draining = true; });
    session.once("close", () => { this.#draining = true; this.#cancelTimer(); });
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    session.unref(); // Open streams keep the process alive, an idle connection does not.
    this.#armTick();
  }

  /** Whether new streams may be opened. */
  get usable(): boolean { return !this.#draining && !this.#session.closed && !this.#session.destroyed; }

  /** Opens a stream. Throws when the connection closed meanwhile. */
  request(headers: http2.OutgoingHttpHeaders, endStream: boolean): http2.ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream });
    if (this.#streams++ === 0) {
      this.#bytesRead = -1; // Whatever arrived while idle proves nothing about now.
      this.#session.ref();
    }
    stream.once("close", () => {
      if (--this.#streams > 0) return;
      this.#idleSinceMs = this.#clock.monotonicMs();
      if (!this.#session.destroyed) this.#session.unref();
      if (this.#draining) this.#session.close();
    });
    return stream;
  }

  /** The failure of a stream in words that name the server and, when we cut the line ourselves, why. */
  describe(error: Error | undefined): ConnectionError {
    const cause = this.#cause ?? error;
    return new ConnectionError(`Lost connection to ${this.#server}: ${cause?.message ?? "the stream was cut"}`, { cause });
  }

  /** Takes no new streams; cuts the remaining ones (watches) after DRAIN_MS so that their owners reconnect. */
  drain(reason: string): void {
    if (this.#draining) return;
    this.#draining = true;
    if (this.#streams === 0) { this.#session.close(); return; }
    this.#clock.after(DRAIN_MS, () => this.destroy(reason));
  }

  destroy(reason: string): void {
    this.#cancelTimer();
    this.#draining = true;
    if (this.#session.destroyed) return;
    this.#cause ??= new Error(reason);
    this.#session.destroy(new Error(reason));
  }

  #armTick(): void {
    this.#cancelTimer = this.#clock.after(PING_INTERVAL_MS, () => this.#tick());
  }

  #tick(): void {
    if (this.#session.destroyed) return;
    if (this.#streams === 0) {
      if (this.#clock.monotonicMs() - this.#idleSinceMs >= IDLE_CLOSE_MS) this.drain("idle");
      else this.#armTick();
      return;
    }
    const bytesRead = this.#session.socket.bytesRead;
    const heard = bytesRead !== this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (heard) this.#armTick();
    else this.#ping();
  }

  #ping(): void {
    let settled = false;
    const wait = (ms: number): void => {
      const armedAtMs = this.#clock.monotonicMs();
      this.#cancelTimer = this.#clock.after(ms, () => {
        if (settled) return;
        if (this.#clock.monotonicMs() - armedAtMs > ms + LATE_MS) { wait(PING_TIMEOUT_MS); return; }
        this.destroy(`no answer to a ping within ${PING_TIMEOUT_MS} ms`);
      });
    };
    wait(PING_TIMEOUT_MS);
    const sent = this.#session.ping((error) => {
      settled = true;
      this.#cancelTimer();
      if (error === null && !this.#session.destroyed) this.#armTick();
    });
    if (!sent) { settled = true; this.#cancelTimer(); this.#armTick(); } // Too many pings under way: ask again later.
  }
}
