/**
 * Defaults of a Service and what the server infers when one is changed. Addresses and ports are allocated elsewhere.
 * Counterpart: `SetDefaults_Service`, kubernetes `registry/core/service/strategy.go` and `storage.go`.
 */
import type { Service, ServiceSpec } from "../schema/generated/models.ts";
import { semanticEqual } from "../semantic-equal.ts";
import { isExternallyAccessible, needsHealthCheck } from "./service-validation.ts";

const AFFINITY_SECONDS = 10_800;

export function defaultService(service: Service): void {
  const spec = (service.spec ??= {});
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: AFFINITY_SECONDS } };
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") {
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const address of service.status?.loadBalancer?.ingress ?? []) if ((address.ip ?? "") !== "") address.ipMode ??= "VIP";
  }
}

/** Brings clusterIP and clusterIPs together, guessing from `old` which of the two the user meant. */
export function syncClusterIps(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  const ip = spec.clusterIP ?? "", ips = spec.clusterIPs ?? [];
  if (old === undefined) {
    if (ip !== "" && ips.length === 0) spec.clusterIPs = [ip];
    return;
  }
  const oldIp = old.clusterIP ?? "", oldIps = old.clusterIPs ?? [];
  if (ip === oldIp) return;
  const isSameList = semanticEqual(ips, oldIps);
  if (ip === "" && isSameList) delete spec.clusterIPs; // The old client cleared the one field it knows.
  else if (ip !== "" && isSameList) spec.clusterIPs = [ip];
}

/** Keeps what was allocated before where an update leaves it out, as clients that replace do. */
export function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  const hasAddress = (s: ServiceSpec): boolean => s.type !== "ExternalName";
  if (hasAddress(old) && hasAddress(spec)) {
    if ((spec.clusterIP ?? "") === "") spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && spec.clusterIP === old.clusterIP) spec.clusterIPs = old.clusterIPs;
  }
  if (needsNodePort(old) && needsNodePort(spec)) keepNodePorts(spec, old);
  if (needsHealthCheck(old) && needsHealthCheck(spec) && (spec.healthCheckNodePort ?? 0) === 0) spec.healthCheckNodePort = old.healthCheckNodePort;
}

const needsNodePort = (spec: ServiceSpec): boolean => spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** By protocol and port; a number the user gave to another port is not kept twice. */
function keepNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const used = new Set((spec.ports ?? []).map((port) => `${port.protocol}/${port.nodePort ?? 0}`));
  const before = new Map((old.ports ?? []).map((port) => [`${port.protocol}/${port.port}`, port.nodePort ?? 0]));
  for (const port of spec.ports ?? []) {
    const nodePort = before.get(`${port.protocol}/${port.port}`) ?? 0;
    if ((port.nodePort ?? 0) !== 0 || nodePort === 0 || used.has(`${port.protocol}/${nodePort}`)) continue;
    port.nodePort = nodePort;
    used.add(`${port.protocol}/${nodePort}`);
  }
}

/** What a new type has no use for is dropped, unless the user changed it in the same breath. */
function dropUnused(service: Service, spec: ServiceSpec, old: ServiceSpec): void {
  if (old.type !== "ExternalName" && spec.type === "ExternalName") {
    if (semanticEqual(old.clusterIP, spec.clusterIP) && semanticEqual(old.clusterIPs, spec.clusterIPs)) {
      delete spec.clusterIP;
      delete spec.clusterIPs;
    }
    if (semanticEqual(old.ipFamilies, spec.ipFamilies)) delete spec.ipFamilies;
    if (old.ipFamilyPolicy === spec.ipFamilyPolicy) delete spec.ipFamilyPolicy;
  }
  const hasNodePorts = (s: ServiceSpec): boolean => s.type === "NodePort" || s.type === "LoadBalancer";
  if (hasNodePorts(old) && !hasNodePorts(spec)) {
    const before = new Set((old.ports ?? []).map((port) => port.nodePort ?? 0));
    if ((spec.ports ?? []).every((port) => (port.nodePort ?? 0) === 0 || before.has(port.nodePort!))) for (const port of spec.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort === spec.healthCheckNodePort) delete spec.healthCheckNodePort;
  if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    if (old.allocateLoadBalancerNodePorts === spec.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts;
    if (old.loadBalancerClass === spec.loadBalancerClass) delete spec.loadBalancerClass;
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec) && old.externalTrafficPolicy === spec.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  if (spec.type !== "LoadBalancer" && service.status?.loadBalancer?.ingress !== undefined) service.status = { ...service.status, loadBalancer: {} };
}

export function prepareServiceForCreate(service: Service): void {
  service.status = { loadBalancer: {} };
  syncClusterIps(service.spec ?? {}, undefined);
}

export function prepareServiceForUpdate(service: Service, old: Service): void {
  const spec = (service.spec ??= {}), was = old.spec ?? {};
  service.status = old.status;
  keepAllocated(spec, was);
  syncClusterIps(spec, was);
  dropUnused(service, spec, was);
}
