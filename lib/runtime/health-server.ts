/**
 * Health and metrics server of a daemon: /healthz, /livez, /readyz (each also with `?verbose` and `/NAME` of one check), /metrics.
 *
 * Promises: `listening` resolves once the port is ours; a failed check answers 500 and names itself but not its reason, as upstream;
 * what is not a health path is refused unless `authorize` allows it. Over TLS without certificate files it makes its own certificate.
 * Counterpart: apiserver `server/healthz`, component-base `metrics`, and the delegated authorization of secure ports.
 */
import http from "node:http";
import https from "node:https";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { createAuthority, issue } from "../pki/certificate.ts";
import { privateKeyPem } from "../pki/keys.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";

export interface HealthCheck {
  readonly name: string;
  /** Where it counts; both by default. */
  readonly on?: "livez" | "readyz";
  /** Throws, or returns a reason, when unwell; synchronous because a probe must not queue behind what it probes. */
  readonly check: () => string | undefined;
}
export interface HealthServerOptions {
  readonly address: string;
  /** 0 lets the kernel choose. */
  readonly port: number;
  /** Undefined: plain HTTP. Without files: a self-signed certificate. */
  readonly tls?: { readonly certificateFile?: string | undefined; readonly keyFile?: string | undefined } | undefined;
  readonly checks?: readonly HealthCheck[];
  readonly registry?: Registry | undefined;
  /** More GET paths, e.g. `/configz`. */
  readonly routes?: Readonly<Record<string, () => { status: number; contentType: string; body: string } | Promise<{ status: number; contentType: string; body: string }>>>;
  /** Who may read what is not a health path; everyone when absent. */
  readonly authorize?: ((request: http.IncomingMessage, path: string) => Promise<"allowed" | "unauthenticated" | "forbidden">) | undefined;
}

const HEALTH_PATH = /^\/(healthz|livez|readyz)(?:\/([^/]+))?\/?$/;
/** How old the certificate of new connections gets; one given as files is read again as often. */
const FRESH_CERTIFICATE_MS = 6 * 3_600_000;
const BODY_TEXT = "text/plain; charset=utf-8";
interface Answer { status: number; contentType: string; body: string }

export class HealthServer implements Runnable {
  readonly name = "health";
  /** Resolves to the port; rejects when it cannot be had. */
  readonly listening: Promise<number>;
  readonly #deps: { clock: Clock; log: Logger };
  readonly #options: HealthServerOptions;
  readonly #checks: HealthCheck[];
  #resolve!: (port: number) => void;
  #reject!: (error: Error) => void;

  constructor(deps: { clock: Clock; log: Logger }, options: HealthServerOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#checks = [{ name: "ping", check: () => undefined }, ...(options.checks ?? [])];
    this.listening = new Promise((resolve, reject) => { this.#resolve = resolve; this.#reject = reject; });
    this.listening.catch(() => {}); // `run` throws it too.
  }

  /** Adds a check; takes effect at once. */
  addCheck(check: HealthCheck): void { this.#checks.push(check); }

  async run(signal: AbortSignal): Promise<void> {
    const server = this.#create();
    const { address, port } = this.#options;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, address, () => { server.off("error", reject); resolve(); });
      });
    } catch (error) {
      const wrapped = new Error(`Cannot listen on ${address}:${port}: ${(error as Error).message}`, { cause: error });
      this.#reject(wrapped);
      throw wrapped;
    }
    server.on("error", (error) => this.#deps.log.warn({ error }, "health server error"));
    this.#resolve((server.address() as AddressInfo).port);
    await Promise.all([aborted(signal), this.#keepFresh(server, signal)]);
    await new Promise<void>((resolve) => { server.close(() => resolve()); server.closeAllConnections(); });
  }

  #create(): http.Server | https.Server {
    const listener = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      this.#answer(request).catch((error: unknown): Answer => {
        this.#deps.log.warn({ error, path: request.url }, "health request failed");
        return { status: 500, contentType: BODY_TEXT, body: "Internal Server Error\n" };
      }).then(({ status, contentType, body }) => {
        response.writeHead(status, { "content-type": contentType, "cache-control": "no-cache, no-store, must-revalidate", "x-content-type-options": "nosniff", "content-length": Buffer.byteLength(body) });
        response.end(request.method === "HEAD" ? undefined : body);
      }).catch(() => response.destroy());
    };
    const { tls, address } = this.#options;
    if (tls === undefined) return http.createServer(listener);
    return https.createServer({ ...certificateOf(tls, address, this.#deps.clock.now()), requestCert: this.#options.authorize !== undefined, rejectUnauthorized: false }, listener);
  }

  /** A certificate of a year in a process that runs longer: a new one is made, or read from the files, in time for new connections. */
  async #keepFresh(server: http.Server | https.Server, signal: AbortSignal): Promise<void> {
    const { tls, address } = this.#options, { clock, log } = this.#deps;
    if (tls === undefined) return;
    try {
      for (;;) {
        await clock.sleep(FRESH_CERTIFICATE_MS, signal);
        try { (server as https.Server).setSecureContext(certificateOf(tls, address, clock.now())); }
        catch (error) { log.warn({ error }, "cannot renew the certificate of the health port, keeping the old one"); }
      }
    } catch (error) { if (!isAbort(error, signal)) throw error; }
  }

  async #answer(request: http.IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, contentType: BODY_TEXT, body: "Method Not Allowed\n" };
    const health = HEALTH_PATH.exec(url.pathname);
    if (health !== null) return this.#health(health[1]!, health[2], url.searchParams);
    const verdict = await (this.#options.authorize?.(request, url.pathname) ?? "allowed");
    if (verdict === "unauthenticated") return { status: 401, contentType: BODY_TEXT, body: "Unauthorized\n" };
    if (verdict === "forbidden") return { status: 403, contentType: BODY_TEXT, body: "Forbidden\n" };
    if (url.pathname === "/metrics" && this.#options.registry !== undefined) return { status: 200, contentType: this.#options.registry.contentType, body: await this.#options.registry.metrics() };
    const route = this.#options.routes?.[url.pathname];
    return route === undefined ? { status: 404, contentType: BODY_TEXT, body: "404 page not found\n" } : route();
  }

  #health(endpoint: string, only: string | undefined, parameters: URLSearchParams): Answer {
    const excluded = new Set(parameters.getAll("exclude"));
    const checks = this.#checks.filter((c) => (endpoint === "healthz" || c.on === undefined || c.on === endpoint) && (only === undefined ? !excluded.has(c.name) : c.name === only));
    if (only !== undefined && checks.length === 0) return { status: 404, contentType: BODY_TEXT, body: "404 page not found\n" };
    const lines: string[] = [], failed: string[] = [];
    for (const { name, check } of checks) {
      let reason: string | undefined;
      try { reason = check(); } catch (error) { reason = (error as Error).message; }
      if (reason === undefined) { lines.push(`[+]${name} ok`); continue; }
      failed.push(name);
      lines.push(`[-]${name} failed: reason withheld`);
      this.#deps.log.warn({ check: name, reason }, "health check failed");
    }
    if (failed.length > 0) return { status: 500, contentType: BODY_TEXT, body: only === undefined ? `${lines.join("\n")}\n${endpoint} check failed\n` : "internal server error: reason withheld\n" };
    return { status: 200, contentType: BODY_TEXT, body: parameters.has("verbose") && only === undefined ? `${lines.join("\n")}\n${endpoint} check passed\n` : "ok" };
  }
}

function certificateOf({ certificateFile, keyFile }: { certificateFile?: string | undefined; keyFile?: string | undefined }, address: string, now: Date): { cert: string; key: string } {
  if (certificateFile !== undefined && keyFile !== undefined) return { cert: readFileSync(certificateFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  const authority = createAuthority({ commonName: `${hostname()}-ca@${Math.floor(now.getTime() / 1_000)}`, now });
  const names = [...new Set([hostname(), "localhost", "127.0.0.1", ...(address === "0.0.0.0" || address === "::" ? [] : [address])])];
  const pair = issue(authority, { subject: { commonName: `${hostname()}@${Math.floor(now.getTime() / 1_000)}` }, usages: ["server"], names, now });
  return { cert: pair.certificatePem + authority.certificatePem, key: privateKeyPem(pair.key) };
}
