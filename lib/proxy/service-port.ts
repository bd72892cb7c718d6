/**
 * What the proxy needs to know of a Service: one value for each port, addresses of one family, defaults resolved.
 * Counterpart: kube-proxy `serviceport.go` and `servicechangetracker.go`.
 */
import type { Service, ServicePort } from "../api/schema/generated/models.ts";
import { cidrContains, formatCidr, formatIp, parseCidr, parseIp } from "../util/ip.ts";

export type Family = 4 | 6;
export type Protocol = "tcp" | "udp" | "sctp";

export interface ServicePortInfo {
  /** `namespace/name`. */
  readonly service: string;
  /** `namespace/name:port`, or `namespace/name` for a port without a name. */
  readonly name: string;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly clusterIp: string;
  readonly port: number;
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly externalIps: readonly string[];
  readonly loadBalancerIps: readonly string[];
  readonly loadBalancerSourceRanges: readonly string[];
  /** Set with ClientIP affinity. */
  readonly affinitySeconds: number | undefined;
  readonly internalPolicyLocal: boolean;
  readonly externalPolicyLocal: boolean;
  /** 0 when there is none. */
  readonly healthCheckNodePort: number;
}

const AFFINITY_SECONDS_DEFAULT = 10_800;
export const PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name";
export const HEADLESS_LABEL = "service.kubernetes.io/headless";

/** Whether the proxy is to serve this Service at all: it has an address of its own and names no other proxy. */
export function isProxied(service: Service): boolean {
  const { clusterIP, type } = service.spec, labels = service.metadata.labels ?? {};
  return type !== "ExternalName" && clusterIP !== undefined && clusterIP !== "" && clusterIP !== "None" && labels[PROXY_NAME_LABEL] === undefined;
}

/** The ports of a Service in one family; none when it has no address there or is not ours to serve. */
export function servicePorts(service: Service, family: Family): ServicePortInfo[] {
  if (!isProxied(service)) return [];
  const { spec, metadata } = service;
  const clusterIp = addresses(spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP!], family)[0];
  if (clusterIp === undefined) return [];
  const externalIps = addresses(spec.externalIPs ?? [], family);
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const loadBalancerIps = addresses(ingress.filter((i) => i.ip !== undefined && i.ipMode !== "Proxy").map((i) => i.ip!), family);
  const reachableOutside = spec.type === "NodePort" || spec.type === "LoadBalancer" || (spec.externalIPs ?? []).length > 0;
  const externalPolicyLocal = reachableOutside && spec.externalTrafficPolicy === "Local";
  const common = {
    service: `${metadata.namespace}/${metadata.name}`,
    clusterIp, externalIps, loadBalancerIps,
    loadBalancerSourceRanges: ranges(spec.loadBalancerSourceRanges ?? [], family),
    affinitySeconds: spec.sessionAffinity === "ClientIP" ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS_DEFAULT) : undefined,
    internalPolicyLocal: spec.internalTrafficPolicy === "Local",
    externalPolicyLocal,
    healthCheckNodePort: spec.type === "LoadBalancer" && externalPolicyLocal ? (spec.healthCheckNodePort ?? 0) : 0,
  };
  return (spec.ports ?? []).map((port) => onePort(common, port));
}

function onePort(common: Omit<ServicePortInfo, "name" | "portName" | "protocol" | "port" | "nodePort">, port: ServicePort): ServicePortInfo {
  const portName = port.name ?? "";
  return {
    ...common, portName, name: portName === "" ? common.service : `${common.service}:${portName}`,
    protocol: (port.protocol ?? "TCP").toLowerCase() as Protocol, port: port.port, nodePort: port.nodePort ?? 0,
  };
}

/** Whether anything outside the cluster can reach this port. */
export const externallyAccessible = (port: ServicePortInfo): boolean => port.nodePort !== 0 || port.loadBalancerIps.length > 0 || port.externalIps.length > 0;
/** Also true with external policy Local: traffic from this node's own pods takes the cluster's endpoints. */
export const usesClusterEndpoints = (port: ServicePortInfo): boolean => !port.internalPolicyLocal || externallyAccessible(port);
export const usesLocalEndpoints = (port: ServicePortInfo): boolean => port.internalPolicyLocal || (port.externalPolicyLocal && externallyAccessible(port));

function addresses(texts: readonly string[], family: Family): string[] {
  const found: string[] = [];
  for (const text of texts) {
    const ip = parseIp(text);
    if (ip !== undefined && ip.family === family && !found.includes(formatIp(ip))) found.push(formatIp(ip));
  }
  return found;
}

function ranges(texts: readonly string[], family: Family): string[] {
  const found: string[] = [];
  for (const text of texts) {
    const cidr = parseCidr(text.trim());
    if (cidr !== undefined && cidr.ip.family === family) found.push(formatCidr(cidr));
  }
  return found;
}

/** Whether the range, already canonical, holds the address. */
export function rangeHolds(range: string, address: string | undefined): boolean {
  const cidr = parseCidr(range), ip = address === undefined ? undefined : parseIp(address);
  return cidr !== undefined && ip !== undefined && cidrContains(cidr, ip);
}
