/**
 * The kubelet's server on 10250: logs, exec, attach, port-forward, stats and metrics, for whom the API server allows it.
 *
 * Guarantees: nothing but a TLS handshake is done for a client that is not authenticated and authorized; a certificate that is replaced on disk is used
 * for the next connection. Counterpart: kubelet `server/server.go`.
 */
import { watchFile, unwatchFile, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import type { ContainerStatus, Pod } from "../../api/schema/generated/models.ts";
import { CriError } from "../../cri/error.ts";
import type { Verdict } from "../../runtime/delegated-auth.ts";
import { aborted, isAbort } from "../../util/abort.ts";
import { assertNever } from "../../util/assert.ts";
import type { Runnable } from "../../util/runnable.ts";
import { readLog } from "../log-reader.ts";
import type { KubeletParts } from "../kubelet.ts";
import { findRun, parseLogOptions } from "./container-logs.ts";
import { HttpError } from "./http-error.ts";
import { cadvisorMetrics, resourceMetrics } from "./resource-metrics.ts";
import { parseRoute, type Route } from "./route.ts";
import { proxyUpgrade } from "./stream-proxy.ts";
import { streamingUrl } from "./streaming-url.ts";
import type { StatsCollector } from "./stats-collector.ts";

export interface KubeletServerOptions {
  readonly address: string;
  readonly port: number;
  readonly tls: () => { cert: string | Buffer; key: string | Buffer };
  /** Files whose change means new certificates. */
  readonly tlsFiles: readonly string[];
  readonly authorize: (request: IncomingMessage, path: string) => Promise<Verdict>;
  readonly metrics: () => Promise<string>;
  readonly configz: () => object;
}

const TEXT = "text/plain; charset=utf-8", METRICS_TEXT = "text/plain; version=0.0.4; charset=utf-8", CERTIFICATE_CHECK_MS = 5_000;
const PODS_RUNNING_FIELDS = ["metadata", "spec"] as const;

export class KubeletServer implements Runnable {
  readonly name = "kubelet server";
  readonly #parts: Pick<KubeletParts, "context" | "manager">;
  readonly #options: KubeletServerOptions;
  readonly #stats: StatsCollector;
  readonly #statusesOf: (pod: Pod) => readonly ContainerStatus[];

  constructor(parts: Pick<KubeletParts, "context" | "manager">, stats: StatsCollector, options: KubeletServerOptions) {
    this.#parts = parts;
    this.#stats = stats;
    this.#options = options;
    this.#statusesOf = (pod) => [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.ephemeralContainerStatuses ?? [])];
  }

  async run(signal: AbortSignal): Promise<void> {
    const { address, port, tls, tlsFiles } = this.#options;
    const server = https.createServer({ ...tls(), requestCert: true, rejectUnauthorized: false, minVersion: "TLSv1.2" });
    server.on("request", (request, response) => { void this.#onRequest(request, response, signal); });
    server.on("upgrade", (request, socket, head) => { void this.#onUpgrade(request, socket, head); });
    const reload = (): void => { try { server.setSecureContext(tls()); } catch (error) { this.#parts.context.log.warn({ error }, "cannot use the new serving certificate, keeping the old one"); } };
    for (const file of tlsFiles) watchFile(file, { interval: CERTIFICATE_CHECK_MS, persistent: false }, reload);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, address, () => { server.off("error", reject); resolve(); });
      });
      await aborted(signal);
    } finally {
      for (const file of tlsFiles) unwatchFile(file, reload);
      server.close();
      server.closeAllConnections();
    }
  }

  /** Throws HttpError unless the request may go on. */
  async #check(request: IncomingMessage, path: string): Promise<void> {
    let verdict: Verdict;
    try { verdict = await this.#options.authorize(request, path); }
    catch (error) {
      this.#parts.context.log.warn({ path, error }, "cannot ask the API server for permission");
      throw new HttpError(500, "Internal Error: authorization could not be checked");
    }
    if (verdict === "unauthenticated") throw new HttpError(401, "Unauthorized");
    if (verdict === "forbidden") throw new HttpError(403, `Forbidden (${request.method} ${path})`);
  }

  async #admit(request: IncomingMessage): Promise<{ route: Route; query: URLSearchParams }> {
    const url = new URL(request.url ?? "/", "https://kubelet");
    await this.#check(request, url.pathname);
    const route = parseRoute(url.pathname);
    if (route === undefined) throw new HttpError(404, "404 page not found");
    return { route, query: url.searchParams };
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    try {
      const { route, query } = await this.#admit(request);
      await this.#serve(route, query, request, response, signal);
    } catch (error) {
      if (response.headersSent) { response.destroy(); return; }
      const status = error instanceof HttpError ? error.status : 500;
      if (status === 500 && !isAbort(error)) this.#parts.context.log.warn({ url: request.url, error }, "request failed");
      response.writeHead(status, { "content-type": TEXT, ...(status === 401 ? { "www-authenticate": "Bearer" } : {}) }).end(`${(error as Error).message}`);
    }
  }

  async #serve(route: Route, query: URLSearchParams, request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { manager } = this.#parts, text = (body: string, type = TEXT): void => { response.writeHead(200, { "content-type": type }).end(body); };
    const json = (body: object): void => text(JSON.stringify(body), "application/json");
    switch (route.kind) {
      case "healthz": return text("ok");
      case "pods": return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items: manager.pods });
      case "runningpods": return json({ kind: "PodList", apiVersion: "v1", metadata: {}, items: manager.pods.map((pod) => Object.fromEntries(PODS_RUNNING_FIELDS.map((field) => [field, pod[field]]))) });
      case "statsSummary": return json(await this.#stats.summary());
      case "metrics": return text(await this.#options.metrics(), METRICS_TEXT);
      case "metricsResource": return text(resourceMetrics(await this.#stats.summary()), METRICS_TEXT);
      case "metricsCadvisor": return text(cadvisorMetrics(await this.#stats.summary()), METRICS_TEXT);
      case "metricsProbes": return text("", METRICS_TEXT);
      case "configz": return json({ kubeletconfig: this.#options.configz() });
      case "logs": return this.#logs(route, query, response, signal);
      case "run": return text(await this.#run(route, query));
      case "exec": case "attach": case "portForward": throw new HttpError(400, `${request.method} ${route.kind} must ask for an upgrade of the connection`);
      default: return assertNever(route);
    }
  }

  async #logs(route: Extract<Route, { kind: "logs" }>, query: URLSearchParams, response: ServerResponse, stop: AbortSignal): Promise<void> {
    const { context, manager } = this.#parts, options = parseLogOptions(query, context.clock.now()), worker = manager.byName(route.namespace, route.pod);
    const run = findRun(worker, route, options.previous, worker === undefined ? [] : this.#statusesOf(worker.pod));
    const gone = new AbortController(), signal = AbortSignal.any([stop, gone.signal]);
    response.on("close", () => gone.abort());
    const stillRunning = async (): Promise<boolean> => worker!.runtime.containers.some((c) => c.id === run.id && c.state === "running");
    response.writeHead(200, { "content-type": "text/plain", "transfer-encoding": "chunked" });
    response.flushHeaders();
    try { await pipeline(Readable.from(readLog(run.logPath, { ...options, follow: options.follow && run.state === "running" }, stillRunning, signal), { objectMode: false }), response); }
    catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") { response.end(`failed to try resolving symlinks in path "${run.logPath}": lstat ${run.logPath}: no such file or directory`); return; }
      if (!gone.signal.aborted) throw error;
    }
  }

  async #run(route: Extract<Route, { kind: "exec" | "attach" | "run" }>, query: URLSearchParams): Promise<string> {
    const worker = this.#parts.manager.byName(route.namespace, route.pod), id = worker?.runtime.containers.find((c) => c.name === route.container && c.state === "running")?.id;
    if (id === undefined) throw new HttpError(404, `container not found ("${route.container}")`);
    const { stdout, stderr } = await this.#parts.context.cri.call("ExecSync", { containerId: id, cmd: (query.get("cmd") ?? "").split(" ").filter((word) => word !== ""), timeout: 0 });
    return stdout.toString("utf8") + stderr.toString("utf8");
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    socket.on("error", () => socket.destroy());
    try {
      const { route, query } = await this.#admit(request);
      if (route.kind !== "exec" && route.kind !== "attach" && route.kind !== "portForward") throw new HttpError(400, "this path does not upgrade");
      const url = await streamingUrl(this.#parts.context.cri, this.#parts.manager.byName(route.namespace, route.pod), route, query);
      proxyUpgrade(request, socket, head, url);
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500, body = error instanceof CriError ? error.details : (error as Error).message;
      socket.end(`HTTP/1.1 ${status} ${REASONS[status] ?? "Error"}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`);
    }
  }
}

const REASONS: Record<number, string> = { 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error" };

/** Reads a key pair anew each time it is called. */
export const tlsFromFiles = (certificateFile: string, keyFile: string) => (): { cert: Buffer; key: Buffer } => ({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) });
