/**
 * The Endpoints object of one Service. Pure.
 *
 * Promises: ports that reach the same addresses share a subset; addresses and ports are in a stable order, so an unchanged state is
 * an unchanged object; at most ADDRESSES_MAX addresses, ready ones first, and then an annotation that says so.
 * Counterpart: kubernetes `pkg/controller/endpoint` and `pkg/api/v1/endpoints` RepackSubsets.
 */
import { isPodReady } from "../../api/helpers/pod-status.ts";
import { canonicalJson } from "../shared/pod-template-hash.ts";
import { HEADLESS_LABEL, LAST_CHANGE_ANNOTATION, addressesOf, findPort, hasClusterIp, mayBeEndpoint, publishesHostname } from "../shared/service-endpoints.ts";
import type { CoreV1EndpointPort, EndpointAddress, Endpoints, EndpointSubset, Pod, Service } from "../../api/schema/generated/models.ts";

export const ADDRESSES_MAX = 1_000;
export const OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity";
export const ENDPOINTS_MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by";

interface Reached { readonly port: CoreV1EndpointPort | undefined; readonly ready: Map<string, EndpointAddress>; readonly notReady: Map<string, EndpointAddress> }

/** The object as it should be; undefined when `current` is so already. */
export function planEndpoints(service: Service, pods: readonly Pod[], current: Endpoints | undefined, triggerMs: number | undefined): Endpoints | undefined {
  const { subsets, truncated } = truncate(planSubsets(service, pods));
  const labels: Record<string, string> = { ...service.metadata.labels, [ENDPOINTS_MANAGED_BY_LABEL]: "endpoint-controller" };
  if (hasClusterIp(service)) delete labels[HEADLESS_LABEL];
  else labels[HEADLESS_LABEL] = "";
  const { [LAST_CHANGE_ANNOTATION]: _last, [OVER_CAPACITY_ANNOTATION]: wasTruncated, ...annotations } = current?.metadata.annotations ?? {};
  const same = current !== undefined && canonicalJson(current.metadata.labels ?? {}) === canonicalJson(labels) && canonicalJson(current.subsets ?? []) === canonicalJson(subsets) && (wasTruncated === "truncated") === truncated;
  if (same) return undefined;
  if (triggerMs !== undefined) annotations[LAST_CHANGE_ANNOTATION] = new Date(triggerMs).toISOString().replace(/\.000Z$/, "Z");
  if (truncated) annotations[OVER_CAPACITY_ANNOTATION] = "truncated";
  const metadata = { ...(current?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }), labels, annotations };
  if (Object.keys(annotations).length === 0) delete (metadata as { annotations?: unknown }).annotations;
  return { apiVersion: "v1", kind: "Endpoints", metadata, ...(subsets.length === 0 ? {} : { subsets }) };
}

function planSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const family = service.spec.ipFamilies?.[0] === "IPv6" ? "IPv6" : "IPv4", publishAll = service.spec.publishNotReadyAddresses === true;
  const reached = new Map<string, Reached>();
  const reach = (port: CoreV1EndpointPort | undefined, address: EndpointAddress, ready: boolean): void => {
    const key = canonicalJson(port ?? null);
    if (!reached.has(key)) reached.set(key, { port, ready: new Map(), notReady: new Map() });
    reached.get(key)![ready ? "ready" : "notReady"].set(canonicalJson(address), address);
  };
  for (const pod of pods) {
    const ip = addressesOf(pod, family)[0];
    if (ip === undefined || !mayBeEndpoint(pod, publishAll)) continue;
    const address: EndpointAddress = {
      ip, ...(publishesHostname(pod, service) ? { hostname: pod.spec.hostname } : {}), nodeName: pod.spec.nodeName,
      targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    };
    const ready = publishAll || isPodReady(pod), ports = service.spec.ports ?? [];
    if (ports.length === 0) reach(undefined, address, ready);
    for (const port of ports) {
      const number = findPort(pod, port);
      if (number !== undefined) reach({ ...((port.name ?? "") === "" ? {} : { name: port.name }), port: number, protocol: port.protocol ?? "TCP", ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) }, address, ready);
    }
  }
  return [...Map.groupBy(reached.values(), ({ ready, notReady }) => `${[...ready.keys()].sort().join()}|${[...notReady.keys()].sort().join()}`).values()].map(subsetOf).sort((a, b) => (canonicalJson(a.ports ?? []) < canonicalJson(b.ports ?? []) ? -1 : 1));
}

function subsetOf(group: readonly Reached[]): EndpointSubset {
  const { ready, notReady } = group[0]!;
  const ports = group.map((r) => r.port).filter((p) => p !== undefined).sort((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
  const byIp = (a: EndpointAddress, b: EndpointAddress): number => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : (a.targetRef?.uid ?? "") < (b.targetRef?.uid ?? "") ? -1 : 1);
  return {
    ...(ready.size === 0 ? {} : { addresses: [...ready.values()].sort(byIp) }), ...(notReady.size === 0 ? {} : { notReadyAddresses: [...notReady.values()].sort(byIp) }),
    ...(ports.length === 0 ? {} : { ports }),
  };
}

function truncate(subsets: EndpointSubset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const count = (field: "addresses" | "notReadyAddresses"): number => subsets.reduce((n, s) => n + (s[field]?.length ?? 0), 0);
  if (count("addresses") + count("notReadyAddresses") <= ADDRESSES_MAX) return { subsets, truncated: false };
  let readyLeft = ADDRESSES_MAX, otherLeft = Math.max(0, ADDRESSES_MAX - count("addresses"));
  const kept = subsets.map((subset): EndpointSubset => {
    const addresses = (subset.addresses ?? []).slice(0, readyLeft), notReadyAddresses = (subset.notReadyAddresses ?? []).slice(0, otherLeft);
    readyLeft -= addresses.length;
    otherLeft -= notReadyAddresses.length;
    return { ...(addresses.length === 0 ? {} : { addresses }), ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }), ...(subset.ports === undefined ? {} : { ports: subset.ports }) };
  });
  return { subsets: kept.filter((s) => s.addresses !== undefined || s.notReadyAddresses !== undefined), truncated: true };
}
