/** Where a probe or hook goes: host, port, URL. Pure. Counterpart: kubelet `prober` and `pkg/probe/http/request.go`. */
import type { Container, HTTPGetAction } from "../../api/schema/generated/models.ts";
import { PROBE_USER_AGENT } from "./http-get.ts";

/** A port by number or by the container's name for it. Throws when there is none. */
export function resolvePort(port: string | number, container: Container): number {
  const number = typeof port === "number" ? port : /^\d+$/.test(port) ? Number(port) : container.ports?.find((p) => p.name === port)?.containerPort;
  if (number === undefined) throw new Error(`couldn't find port: ${JSON.stringify(port)}`);
  if (number <= 0 || number >= 65_536) throw new Error(`invalid port number: ${number}`);
  return number;
}

const inUrl = (host: string): string => (host.includes(":") ? `[${host}]` : host);

export interface HttpTarget { readonly url: URL; /** As messages show it: the port always, unlike a URL's own text. */ readonly shown: string; readonly headers: Record<string, string> }

export function httpTarget(action: HTTPGetAction, container: Container, podIP: string, userAgent = PROBE_USER_AGENT): HttpTarget {
  const host = action.host === undefined || action.host === "" ? podIP : action.host;
  const path = action.path ?? "/";
  const shown = `${(action.scheme ?? "HTTP").toLowerCase()}://${inUrl(host)}:${resolvePort(action.port, container)}${path.startsWith("/") ? path : `/${path}`}`, url = new URL(shown);
  const headers: Record<string, string> = { "user-agent": userAgent, accept: "*/*", connection: "close" };
  for (const { name, value } of action.httpHeaders ?? []) {
    if (value === "" && name.toLowerCase() === "accept") delete headers["accept"];
    else headers[name.toLowerCase()] = value;
  }
  return { url, shown, headers };
}
