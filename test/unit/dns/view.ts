/** A cluster to answer from, in memory. */
import type { EndpointSlice, Service, ServiceSpec } from "../../../lib/api/schema/generated/models.ts";
import type { ClusterView } from "../../../lib/dns/cluster-view.ts";

export const makeService = (name: string, spec: Partial<ServiceSpec> = {}, namespace = "default"): Service =>
  ({ metadata: { name, namespace }, spec: { clusterIP: "10.96.0.20", ports: [{ name: "http", port: 80, protocol: "TCP" }], ...spec } });

export function makeSlice(service: string, endpoints: { ip: string; hostname?: string; ready?: boolean }[], namespace = "default"): EndpointSlice {
  return {
    metadata: { name: `${service}-1`, namespace, labels: { "kubernetes.io/service-name": service } }, addressType: "IPv4", ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: endpoints.map(({ ip, hostname, ready = true }) => ({ addresses: [ip], conditions: { ready }, ...(hostname === undefined ? {} : { hostname }) })),
  };
}

export function makeView(services: Service[], slices: EndpointSlice[] = [], ready = true): ClusterView {
  return {
    ready,
    service: (namespace, name) => services.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
    hasNamespace: (namespace) => services.some((s) => s.metadata.namespace === namespace),
    slices: (namespace, service) => slices.filter((s) => s.metadata.namespace === namespace && s.metadata.labels?.["kubernetes.io/service-name"] === service),
    serviceAt: (address) => services.find((s) => (s.spec.clusterIPs ?? [s.spec.clusterIP]).includes(address)),
    slicesAt: (address) => slices.filter((s) => s.endpoints?.some((e) => e.addresses.includes(address))),
  };
}
