/**
 * `pods/proxy`, `services/proxy`, `nodes/proxy`: any method and any upgrade, passed on.
 * Counterpart: apimachinery `util/proxy/upgradeaware.go` and `transport.go`. Differs: links in HTML bodies are left as they are.
 */
import { pipeline } from "node:stream/promises";
import type { ResourceReference } from "../../api/reference.ts";
import { nodes, pods, services } from "../../api/schema/generated/references.ts";
import { StatusError } from "../../api/status-error.ts";
import type { CacheReader, StreamCall, StreamHandler } from "../contracts.ts";
import { dialError, requestBackend } from "./backend-request.ts";
import type { KubeletConnection } from "./kubelet-connection.ts";
import { nodeTarget, podTarget, type ProxyTarget, serviceTarget } from "./proxy-target.ts";
import { forwardedHeaders, tunnelUpgrade } from "./tunnel-upgrade.ts";

/** Ours to say, not the backend's; and those of another connection. */
const DROPPED = new Set(["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection", "access-control-allow-origin", "access-control-allow-credentials"]);

export interface ProxyDeps { readonly cache: CacheReader; readonly kubelets: KubeletConnection; readonly random?: () => number }

export function proxyHandlers(deps: ProxyDeps): StreamHandler[] {
  const { cache, kubelets, random = Math.random } = deps;
  const handler = (resource: ResourceReference, find: (call: StreamCall) => ProxyTarget): StreamHandler => ({ resource, subresource: "proxy", serve: (call) => proxyRequest(call, find(call)) });
  return [
    handler(pods, (call) => podTarget(cache, call.namespace, call.name)),
    handler(services, (call) => serviceTarget(cache, call.namespace, call.name, random)),
    handler(nodes, (call) => nodeTarget(kubelets, call.name)),
  ];
}

async function proxyRequest(call: StreamCall, target: ProxyTarget): Promise<void> {
  const mark = call.url.indexOf("?"), path = mark < 0 ? call.url : call.url.slice(0, mark), search = mark < 0 ? "" : call.url.slice(mark);
  const host = target.host.includes(":") ? `[${target.host}]` : target.host;
  const url = new URL(`${target.scheme}://${host}:${target.port}${call.restPath === "" ? "/" : call.restPath}${search}`);
  const unreachable = (error: unknown): StatusError => new StatusError("ServiceUnavailable", `error trying to reach service: ${dialError(error, url)}`, { cause: error });
  // The client's own view of the place, which links in the answer need.
  const prefix = call.restPath === "" ? path : path.slice(0, path.length - call.restPath.length);
  const forwarded = { "x-forwarded-uri": path, "x-forwarded-host": String(call.headers.host ?? call.headers[":authority"] ?? ""), "x-forwarded-proto": "https" };
  if (call.upgrade !== undefined) {
    await tunnelUpgrade(call, { url, tls: target.tls, headers: forwarded }).catch((error: unknown) => { throw unreachable(error); });
    return;
  }
  // Relative links need a path that ends with a slash.
  if (call.restPath === "" && (call.method === "GET" || call.method === "HEAD")) { call.respond(301, { location: `${path}/${search}` }).end(); return; }
  // A body without a length needs a frame; Node gives DELETE and the like none by itself.
  const framing = call.headers["transfer-encoding"] === undefined ? {} : { "transfer-encoding": "chunked" };
  const answer = await requestBackend({ url, method: call.method, headers: { ...forwardedHeaders(call.headers), ...forwarded, ...framing }, body: call.body, signal: call.signal, ...(target.tls === undefined ? {} : { tls: target.tls }) })
    .catch((error: unknown) => { throw unreachable(error); });
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(answer.headers)) if (value !== undefined && !DROPPED.has(name)) headers[name] = value;
  if (typeof headers.location === "string") headers.location = proxiedLocation(headers.location, url, prefix);
  const body = call.respond(answer.statusCode ?? 502, headers);
  if (call.method === "HEAD") { answer.resume(); body.end(); return; }
  await pipeline(answer, body).catch((error: unknown) => { if (!call.signal.aborted) throw error; });
}

/** A redirect within the backend stays behind the proxy; one that leaves it is left alone. Pure. */
export function proxiedLocation(location: string, backend: URL, prefix: string): string {
  if (location.startsWith("/") && !location.startsWith("//")) return prefix + location;
  if (!URL.canParse(location)) return location;
  const url = new URL(location);
  return url.host === backend.host ? `${prefix}${url.pathname}${url.search}${url.hash}` : location;
}
