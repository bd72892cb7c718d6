/** Paths that are no resources: discovery, health, version, metrics and the list of them. */
import type { Logger } from "../../util/logger.ts";
import type { ApiRequest, ApiResponse } from "../http/exchange.ts";
import { negotiate } from "../negotiate.ts";
import { valueResponse } from "../rest/encode.ts";
import { unknownResource } from "../rest/router.ts";
import { methodNotAllowed } from "../rest/method-not-allowed.ts";
import type { Discovery } from "./discovery-handlers.ts";
import { handleHealth, type HealthCheck } from "./health.ts";
import type { ServerMetrics } from "./metrics.ts";
import { versionInfo } from "./version.ts";

export interface PathDeps {
  readonly discovery: Discovery;
  readonly metrics: ServerMetrics;
  readonly checks: readonly HealthCheck[];
  readonly log: Logger;
  /** Fixed documents by path: OpenID discovery and the like. */
  readonly documents: ReadonlyMap<string, { readonly body: string; readonly contentType: string; readonly cacheControl: string }>;
  /** Answers under `/openapi/`; undefined for a path it does not know. */
  readonly openapi: (request: ApiRequest) => ApiResponse | Promise<ApiResponse> | undefined;
}

/** Answers a request that asks for no resource. Throws StatusError. */
export function pathHandler(deps: PathDeps): (request: ApiRequest) => Promise<ApiResponse> {
  return async (request) => {
    const { method } = request;
    const answer = await answerPath(deps, request);
    if (answer === undefined) throw unknownResource();
    if (method !== "GET" && method !== "HEAD") throw methodNotAllowed();
    return answer;
  };
}

async function answerPath(deps: PathDeps, request: ApiRequest): Promise<ApiResponse | undefined> {
  const path = request.path.length > 1 && request.path.endsWith("/") ? request.path.slice(0, -1) : request.path;
  if (path === "/api" || path === "/apis" || path.startsWith("/api/") || path.startsWith("/apis/")) return deps.discovery.handle(request);
  if (path.startsWith("/openapi/")) return deps.openapi(request);
  if (path === "/version") return valueResponse(versionInfo, { ...negotiate(request, []), pretty: true });
  if (path === "/metrics") return { status: 200, contentType: deps.metrics.contentType, body: await deps.metrics.text() };
  if (path === "/" || path === "") return valueResponse({ paths: listPaths(deps) }, { ...negotiate(request, []), pretty: true });
  const document = deps.documents.get(path);
  if (document !== undefined) return { status: 200, contentType: document.contentType, headers: { "cache-control": document.cacheControl }, body: document.body };
  return handleHealth(request, deps.checks, (name, reason) => deps.log.warn({ check: name, reason }, "health check failed"));
}

function listPaths(deps: PathDeps): string[] {
  const health = (["healthz", "livez", "readyz"] as const).flatMap((endpoint) => [`/${endpoint}`, ...deps.checks.filter((check) => check.in.includes(endpoint)).map((check) => `/${endpoint}/${check.name}`)]);
  return [...new Set([...deps.documents.keys(), "/api", "/api/v1", ...deps.discovery.paths(), ...health, "/metrics", "/openapi/v2", "/openapi/v3", "/version"])].sort();
}

