/** What the cluster's names are answered from: Services and EndpointSlices, found by name and by address. */
import type { EndpointSlice, Service } from "../api/schema/generated/models.ts";
import type { Informer } from "../runtime/informer.ts";

export interface ClusterView {
  /** Whether everything is known; before, "no such name" would be a lie. */
  readonly ready: boolean;
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  /** The Service with this cluster IP, in canonical form. */
  serviceAt(address: string): Service | undefined;
  /** Slices that hold this address. */
  slicesAt(address: string): readonly EndpointSlice[];
}

export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
const BY_ADDRESS = "dns-address", BY_SERVICE = "dns-service";
const clusterIps = (service: Service): string[] => (service.spec.clusterIPs ?? [service.spec.clusterIP ?? ""]).filter((ip) => ip !== "" && ip !== "None");

/** Reads a process's shared informers. Adds three indexes. */
export function informerView(services: Informer<Service>, slices: Informer<EndpointSlice>): ClusterView {
  services.addIndex(BY_ADDRESS, clusterIps);
  slices.addIndex(BY_SERVICE, (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ""}`]);
  slices.addIndex(BY_ADDRESS, (slice) => [...new Set((slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses))]);
  return {
    get ready() { return services.hasSynced && slices.hasSynced; },
    service: (namespace, name) => services.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => services.list(namespace).length > 0,
    slices: (namespace, service) => slices.byIndex(BY_SERVICE, `${namespace}/${service}`),
    serviceAt: (address) => services.byIndex(BY_ADDRESS, address)[0],
    slicesAt: (address) => slices.byIndex(BY_ADDRESS, address),
  };
}
