/**
 * EndpointSlices of one Service: which to make, change and delete. Pure.
 *
 * Promises: an endpoint stays in the slice it is in while that slice lives; new ones fill slices that change anyway, then the
 * fullest with room, then new slices; a slice holds at most `endpointsMax`, all with the same ports; a Service without endpoints
 * keeps one empty slice. Counterpart: kubernetes `staging/src/k8s.io/endpointslice/reconciler.go`.
 */
import { isIP } from "node:net";
import { services } from "../../api/schema/generated/references.ts";
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { isPodReady, isPodTerminating } from "../../api/helpers/pod-status.ts";
import { canonicalJson } from "../shared/pod-template-hash.ts";
import { HEADLESS_LABEL, LAST_CHANGE_ANNOTATION, MANAGED_BY_LABEL, SERVICE_NAME_LABEL, addressesOf, findPort, hasClusterIp, mayBeEndpoint, portsKey, publishesHostname, slicePrefix } from "../shared/service-endpoints.ts";
import type { Family } from "../shared/service-endpoints.ts";
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Node, ObjectMeta, Pod, Service } from "../../api/schema/generated/models.ts";

export const CONTROLLER_NAME = "endpointslice-controller.k8s.io";
const ZONE_LABEL = "topology.kubernetes.io/zone";
const RESERVED_LABELS = new Set([SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]);

export interface SlicePlan { readonly create: EndpointSlice[]; readonly update: EndpointSlice[]; readonly delete: EndpointSlice[] }
export interface SliceInput {
  readonly service: Service;
  /** Selected by the Service, in its namespace. */
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Ours, of this Service. */
  readonly existing: readonly EndpointSlice[];
  readonly endpointsMax: number;
  readonly triggerMs: number | undefined;
}

/** Address families the Service has slices for. */
export function familiesOf(service: Service): Family[] {
  if ((service.spec.ipFamilies ?? []).length > 0) return service.spec.ipFamilies as Family[];
  return hasClusterIp(service) ? [isIP(service.spec.clusterIP!) === 6 ? "IPv6" : "IPv4"] : ["IPv4", "IPv6"];
}

/** Decides for all families together; slices of families the Service no longer has are deleted. */
export function planSlices(input: SliceInput): SlicePlan {
  const families = familiesOf(input.service), total: SlicePlan = { create: [], update: [], delete: input.existing.filter((s) => !families.includes(s.addressType as Family)) };
  for (const family of families) {
    const plan = planFamily(input, family, input.existing.filter((s) => s.addressType === family));
    total.create.push(...plan.create);
    total.update.push(...plan.update);
    total.delete.push(...plan.delete);
  }
  for (const slice of [...total.create, ...total.update]) stampTrigger(slice, input.triggerMs);
  return total;
}

interface Group { readonly ports: DiscoveryV1EndpointPort[]; readonly wanted: Map<string, Endpoint> }

function planFamily(input: SliceInput, family: Family, existing: readonly EndpointSlice[]): SlicePlan {
  const { service } = input, groups = groupEndpoints(input, family), byPorts = Map.groupBy(existing, (s) => portsKey(s.ports ?? []));
  const plan: SlicePlan = { create: [], update: [], delete: [] };
  for (const [key, slices] of byPorts) if (!groups.has(key)) plan.delete.push(...slices);
  for (const [key, group] of groups) planGroup(input, family, group, byPorts.get(key) ?? [], plan);
  if (plan.delete.length === existing.length && plan.create.length === 0) {
    const placeholder = newSlice(service, family, []);
    const kept = plan.delete.find((s) => (s.endpoints ?? []).length === 0 && (s.ports ?? []).length === 0);
    if (kept === undefined) plan.create.push(placeholder);
    else {
      plan.delete.splice(plan.delete.indexOf(kept), 1);
      const labels = labelsFor(service);
      if (canonicalJson(labels) !== canonicalJson(kept.metadata.labels)) plan.update.push({ ...kept, metadata: { ...kept.metadata, labels } });
    }
  }
  return reuseDeleted(service, plan);
}

/** Endpoints that should be, by their ports. */
function groupEndpoints({ service, pods, nodeOf }: SliceInput, family: Family): Map<string, Group> {
  const groups = new Map<string, Group>();
  for (const pod of pods) {
    if (!mayBeEndpoint(pod, true) || addressesOf(pod, family).length === 0) continue;
    const ports = portsOf(service, pod), key = portsKey(ports), endpoint = endpointOf(pod, nodeOf(pod.spec.nodeName ?? ""), service, family);
    if (!groups.has(key)) groups.set(key, { ports, wanted: new Map() });
    groups.get(key)!.wanted.set(identity(endpoint), endpoint);
  }
  return groups;
}

function planGroup({ service, endpointsMax }: SliceInput, family: Family, { ports, wanted }: Group, existing: readonly EndpointSlice[], plan: SlicePlan): void {
  const missing = new Map(wanted), labels = labelsFor(service), changing: EndpointSlice[] = [], unchanged: EndpointSlice[] = [];
  for (const slice of existing) {
    const kept: Endpoint[] = [];
    let changed = canonicalJson(slice.metadata.labels) !== canonicalJson(labels);
    for (const endpoint of slice.endpoints ?? []) {
      const fresh = missing.get(identity(endpoint));
      if (fresh === undefined) { changed = true; continue; } // Gone, or in another slice already.
      missing.delete(identity(endpoint));
      if (canonicalJson(fresh) !== canonicalJson(endpoint)) changed = true;
      kept.push(fresh);
    }
    const next = { ...slice, metadata: { ...slice.metadata, labels }, endpoints: kept };
    if (kept.length === 0 && (slice.endpoints ?? []).length > 0) changing.push(next); // Deleted below unless it is filled again.
    else (changed ? changing : unchanged).push(changed ? next : slice);
  }
  const rest = [...missing.values()];
  for (const slice of changing.toSorted((a, b) => b.endpoints!.length - a.endpoints!.length)) slice.endpoints!.push(...rest.splice(0, Math.max(0, endpointsMax - slice.endpoints!.length)));
  while (rest.length > 0) {
    const fitting = unchanged.filter((s) => s.endpoints!.length + Math.min(rest.length, endpointsMax) <= endpointsMax).toSorted((a, b) => b.endpoints!.length - a.endpoints!.length)[0];
    const slice = fitting === undefined ? newSlice(service, family, ports) : { ...fitting, metadata: { ...fitting.metadata, labels }, endpoints: [...fitting.endpoints!] };
    slice.endpoints!.push(...rest.splice(0, endpointsMax - slice.endpoints!.length));
    if (fitting === undefined) { plan.create.push(slice); continue; }
    unchanged.splice(unchanged.indexOf(fitting), 1);
    plan.update.push(slice);
  }
  for (const slice of changing) (slice.endpoints!.length === 0 ? plan.delete : plan.update).push(slice);
}

/** Rather than deleting one slice and making another, the first becomes the second: watchers then see one change. */
function reuseDeleted(service: Service, plan: SlicePlan): SlicePlan {
  const create = [...plan.create], update = [...plan.update], remove: EndpointSlice[] = [];
  for (const old of plan.delete) {
    const owned = old.metadata.ownerReferences?.some((o) => o.uid === service.metadata.uid) === true;
    const fresh = owned ? create.pop() : undefined;
    if (fresh === undefined) remove.push(old);
    else update.push({ ...old, metadata: { ...old.metadata, labels: fresh.metadata.labels }, ports: fresh.ports, endpoints: fresh.endpoints });
  }
  return { create, update, delete: remove };
}

function newSlice(service: Service, family: Family, ports: DiscoveryV1EndpointPort[]): EndpointSlice {
  return {
    apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: family, endpoints: [], ports,
    metadata: { generateName: slicePrefix(service.metadata.name), namespace: service.metadata.namespace, labels: labelsFor(service), ownerReferences: [newControllerRef(service, services)] } as unknown as ObjectMeta,
  };
}

/** The Service's labels, and the reserved ones. */
function labelsFor(service: Service): Record<string, string> {
  const labels = Object.fromEntries(Object.entries(service.metadata.labels ?? {}).filter(([name]) => !RESERVED_LABELS.has(name)));
  if (!hasClusterIp(service)) labels[HEADLESS_LABEL] = "";
  return { ...labels, [SERVICE_NAME_LABEL]: service.metadata.name, [MANAGED_BY_LABEL]: CONTROLLER_NAME };
}

function portsOf(service: Service, pod: Pod): DiscoveryV1EndpointPort[] {
  const ports: DiscoveryV1EndpointPort[] = [];
  for (const port of service.spec.ports ?? []) {
    const number = findPort(pod, port);
    if (number !== undefined) ports.push({ name: port.name ?? "", port: number, protocol: port.protocol ?? "TCP", ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) });
  }
  return ports;
}

function endpointOf(pod: Pod, node: Node | undefined, service: Service, family: Family): Endpoint {
  const serving = isPodReady(pod), terminating = isPodTerminating(pod), ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const zone = node?.metadata.labels?.[ZONE_LABEL] || undefined, nodeName = pod.spec.nodeName || undefined;
  const distribution = service.spec.trafficDistribution, close = distribution === "PreferClose" || distribution === "PreferSameZone" || distribution === "PreferSameNode";
  const hints = {
    ...(close && zone !== undefined ? { forZones: [{ name: zone }] } : {}),
    ...(distribution === "PreferSameNode" && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
  };
  return {
    addresses: addressesOf(pod, family), conditions: { ready, serving, terminating },
    ...(publishesHostname(pod, service) ? { hostname: pod.spec.hostname } : {}),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
    ...(nodeName === undefined ? {} : { nodeName }), ...(zone === undefined ? {} : { zone }), ...(ready && Object.keys(hints).length > 0 ? { hints } : {}),
  };
}

const identity = (e: Endpoint): string => `${e.targetRef?.uid ?? ""} ${e.addresses.join(",")}`;

function stampTrigger(slice: EndpointSlice, triggerMs: number | undefined): void {
  const { [LAST_CHANGE_ANNOTATION]: _, ...annotations } = slice.metadata.annotations ?? {};
  if (triggerMs !== undefined) annotations[LAST_CHANGE_ANNOTATION] = new Date(triggerMs).toISOString().replace(/\.000Z$/, "Z");
  if (Object.keys(annotations).length > 0) slice.metadata.annotations = annotations;
  else delete slice.metadata.annotations;
}
