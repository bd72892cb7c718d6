/**
 * What a Service and a pod make of each other: shared by EndpointSlices and the older Endpoints. Pure.
 * Counterpart: kubernetes `staging/src/k8s.io/endpointslice` utils.go and util/controller_utils.go.
 */
import { isIP } from "node:net";
import { isPodReady, isPodTerminal, isPodTerminating } from "../../api/helpers/pod-status.ts";
import { isSidecar } from "../../api/helpers/pod-resources.ts";
import { selectorFromSet, matchesLabels, type LabelMatcher } from "../../api/helpers/label-selector.ts";
import { canonicalJson } from "./pod-template-hash.ts";
import type { DiscoveryV1EndpointPort, Pod, Service, ServicePort } from "../../api/schema/generated/models.ts";

export type Family = "IPv4" | "IPv6";
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";
/** Names the controller a slice belongs to. */
export const MANAGED_BY_LABEL = "endpointslice.kubernetes.io/managed-by";
export const HEADLESS_LABEL = "service.kubernetes.io/headless";
export const LAST_CHANGE_ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";

export const hasClusterIp = (service: Service): boolean => service.spec.clusterIP !== undefined && service.spec.clusterIP !== "" && service.spec.clusterIP !== "None";

/** Services whose endpoints are ours to find: with a selector, and no mere alias. */
export const hasSelector = (service: Service): boolean => service.spec.type !== "ExternalName" && Object.keys(service.spec.selector ?? {}).length > 0;

const selectors = new WeakMap<Service, LabelMatcher>();
export function selectsPod(service: Service, pod: Pod): boolean {
  if (!hasSelector(service)) return false;
  let selector = selectors.get(service);
  if (selector === undefined) selectors.set(service, selector = selectorFromSet(service.spec.selector));
  return matchesLabels(selector, pod.metadata.labels);
}

export const podAddresses = (pod: Pod): readonly string[] => (pod.status?.podIPs ?? (pod.status?.podIP === undefined || pod.status.podIP === "" ? [] : [{ ip: pod.status.podIP }])).map((p) => p.ip).filter((ip) => ip !== "");
export const addressesOf = (pod: Pod, family: Family): string[] => podAddresses(pod).filter((ip) => isIP(ip) === (family === "IPv4" ? 4 : 6));

/** Whether a pod belongs into a Service's endpoints at all, ready or not. */
export const mayBeEndpoint = (pod: Pod, includeTerminating: boolean): boolean => podAddresses(pod).length > 0 && !isPodTerminal(pod) && (includeTerminating || !isPodTerminating(pod));

/** The number behind a Service port in this pod; undefined when the pod names no such port. */
export function findPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  for (const container of containers) for (const p of container.ports ?? []) if (p.name === target && (p.protocol ?? "TCP") === (port.protocol ?? "TCP")) return p.containerPort;
  return undefined;
}

/** The pod's DNS name under a headless Service is published only where both ask for it. */
export const publishesHostname = (pod: Pod, service: Service): boolean => (pod.spec.hostname ?? "") !== "" && pod.spec.subdomain === service.metadata.name && service.metadata.namespace === pod.metadata.namespace;

/** Everything of a pod that endpoints show, as text: two states with one text need no new look. */
export function endpointFacts(pod: Pod): string {
  return JSON.stringify([podAddresses(pod), pod.spec.nodeName, pod.spec.hostname, pod.spec.subdomain, isPodReady(pod), isPodTerminating(pod), isPodTerminal(pod), pod.metadata.labels]);
}

/** Ports as text that is equal where slices may share endpoints. Absent and default are the same: what the server leaves out must not look like a change. */
export const portsKey = (ports: readonly DiscoveryV1EndpointPort[]): string => ports.map((p) => canonicalJson({ ...p, name: p.name ?? "", protocol: p.protocol ?? "TCP" })).sort().join();

/** What names of a Service's slices begin with. */
export const slicePrefix = (service: string): string => (service.length < 58 ? `${service}-` : service);
