/**
 * Endpoints of a Service's ports, from its EndpointSlices: one value for each address and port, sorted, doubles merged.
 * Counterpart: kube-proxy `endpoint.go` and `endpointslicecache.go`.
 */
import type { Endpoint, EndpointSlice } from "../api/schema/generated/models.ts";
import { formatIp, parseIp } from "../util/ip.ts";
import { HEADLESS_LABEL, PROXY_NAME_LABEL, type Family } from "./service-port.ts";

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

export interface EndpointInfo {
  readonly ip: string;
  readonly port: number;
  /** `ip:port`, `[ip]:port` in IPv6. */
  readonly text: string;
  /** On the proxy's own node. */
  readonly local: boolean;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** By port: `portKey(name, protocol)`. */
export type EndpointsByPort = ReadonlyMap<string, readonly EndpointInfo[]>;
export const portKey = (name: string, protocol: string): string => `${name}/${protocol}`;

/** `namespace/name` of the Service a slice belongs to; undefined for slices the proxy leaves alone. */
export function serviceOfSlice(slice: EndpointSlice): string | undefined {
  const labels = slice.metadata.labels ?? {}, name = labels[SERVICE_NAME_LABEL];
  if (name === undefined || name === "" || labels[HEADLESS_LABEL] !== undefined || labels[PROXY_NAME_LABEL] !== undefined) return undefined;
  return `${slice.metadata.namespace}/${name}`;
}

/** All endpoints of one Service in one family. */
export function endpointsByPort(slices: readonly EndpointSlice[], family: Family, nodeName: string): EndpointsByPort {
  const ports = new Map<string, Map<string, EndpointInfo>>();
  for (const slice of slices) {
    if (slice.addressType !== (family === 4 ? "IPv4" : "IPv6")) continue;
    for (const port of slice.ports ?? []) {
      if (port.port === undefined) continue; // "All ports" means nothing to a NAT rule.
      const key = portKey(port.name ?? "", (port.protocol ?? "TCP").toLowerCase());
      let found = ports.get(key);
      if (found === undefined) ports.set(key, (found = new Map()));
      for (const endpoint of slice.endpoints ?? []) addEndpoint(found, endpoint, port.port, family, nodeName);
    }
  }
  const sorted = new Map<string, EndpointInfo[]>();
  for (const [key, found] of ports) sorted.set(key, [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1)));
  return sorted;
}

function addEndpoint(found: Map<string, EndpointInfo>, endpoint: Endpoint, port: number, family: Family, nodeName: string): void {
  const ip = parseIp(endpoint.addresses[0] ?? "");
  if (ip === undefined || ip.family !== family) return;
  const address = formatIp(ip), text = family === 4 ? `${address}:${port}` : `[${address}]:${port}`;
  const { ready = true, serving = ready, terminating = false } = endpoint.conditions ?? {};
  const info: EndpointInfo = {
    ip: address, port, text, local: nodeName !== "" && endpoint.nodeName === nodeName, ready, serving, terminating,
    zoneHints: (endpoint.hints?.forZones ?? []).map((zone) => zone.name), nodeHints: (endpoint.hints?.forNodes ?? []).map((node) => node.name),
  };
  const known = found.get(text);
  // An endpoint that moves between slices is in both for a moment, perhaps with different conditions: the more usable one counts.
  if (known === undefined || usability(info) > usability(known)) found.set(text, info);
}

const usability = (e: EndpointInfo): number => (e.ready ? 4 : 0) + (e.serving ? 2 : 0) + (e.local ? 1 : 0);
