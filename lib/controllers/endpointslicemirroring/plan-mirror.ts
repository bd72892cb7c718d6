/**
 * EndpointSlices that show what somebody wrote into Endpoints by hand: which to make, change and delete. Pure.
 *
 * Promises: one slice for each set of ports and address family, with at most `addressesMax` addresses a subset; what is not a slice of
 * this controller is left alone. Counterpart: kubernetes `pkg/controller/endpointslicemirroring/reconciler.go`.
 */
import { isIP } from "node:net";
import { newControllerRef } from "../../api/helpers/owner-references.ts";
import { endpoints as endpointsReference } from "../../api/schema/generated/references.ts";
import { canonicalJson } from "../shared/pod-template-hash.ts";
import { LAST_CHANGE_ANNOTATION, MANAGED_BY_LABEL, portsKey, SERVICE_NAME_LABEL, slicePrefix, type Family } from "../shared/service-endpoints.ts";
import type { DiscoveryV1EndpointPort, Endpoint, EndpointAddress, Endpoints, EndpointSlice, ObjectMeta } from "../../api/schema/generated/models.ts";

export const MIRRORING_CONTROLLER = "endpointslicemirroring-controller.k8s.io";
const SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror", LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader", APPLIED_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration";
/** Annotations that are about the Endpoints object itself. */
const OWN_ANNOTATIONS = new Set([LAST_CHANGE_ANNOTATION, APPLIED_ANNOTATION]);

/** Whether Endpoints are to be shown at all: not a leader's lock, and not those that something else makes slices of. */
export const mayMirror = ({ metadata }: Endpoints): boolean => metadata.labels?.[SKIP_LABEL] !== "true" && metadata.annotations?.[LEADER_ANNOTATION] === undefined;

export interface MirrorPlan {
  readonly create: EndpointSlice[]; readonly update: EndpointSlice[]; readonly delete: EndpointSlice[];
  /** Addresses that are no IP addresses. */
  readonly invalid: number;
  /** Addresses beyond `addressesMax` of their subset. */
  readonly beyond: number;
}

interface Group { readonly family: Family; readonly ports: DiscoveryV1EndpointPort[]; readonly wanted: Map<string, Endpoint> }

/** `existing`: slices of this controller for these Endpoints. */
export function planMirror(endpoints: Endpoints, existing: readonly EndpointSlice[], addressesMax: number): MirrorPlan {
  const { groups, invalid, beyond } = groupAddresses(endpoints, addressesMax), plan: MirrorPlan = { create: [], update: [], delete: [], invalid, beyond };
  const byKey = Map.groupBy(existing, (slice) => keyOf(slice.addressType as Family, slice.ports ?? []));
  for (const [key, slices] of byKey) if (!groups.has(key)) plan.delete.push(...slices);
  for (const [key, group] of groups) {
    const [first, ...rest] = byKey.get(key) ?? [];
    plan.delete.push(...rest);
    const fresh = newSlice(endpoints, group);
    if (first === undefined) plan.create.push(fresh);
    else if (!shows(first, fresh)) plan.update.push(into(first, fresh));
  }
  // Rather than deleting one slice and making another, the first becomes the second: watchers then see one change. A slice keeps its family.
  for (const old of plan.delete.splice(0)) {
    const i = plan.create.findIndex((slice) => slice.addressType === old.addressType);
    if (i < 0) plan.delete.push(old);
    else plan.update.push(into(old, plan.create.splice(i, 1)[0]!));
  }
  return plan;
}

const keyOf = (family: Family, ports: readonly DiscoveryV1EndpointPort[]): string => `${family} ${portsKey(ports)}`;

function groupAddresses({ subsets = [] }: Endpoints, addressesMax: number): { groups: Map<string, Group>; invalid: number; beyond: number } {
  const groups = new Map<string, Group>();
  let invalid = 0, beyond = 0;
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(({ name = "", port, protocol = "TCP", appProtocol }): DiscoveryV1EndpointPort => ({ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }));
    let added = 0;
    for (const [addresses, ready] of [[subset.addresses ?? [], true], [subset.notReadyAddresses ?? [], false]] as const) {
      for (const address of addresses) {
        if (added >= addressesMax) { beyond++; continue; }
        const version = isIP(address.ip);
        if (version === 0) { invalid++; continue; }
        const family = version === 6 ? "IPv6" : "IPv4", key = keyOf(family, ports), endpoint = endpointOf(address, ready);
        if (!groups.has(key)) groups.set(key, { family, ports, wanted: new Map() });
        groups.get(key)!.wanted.set(identity(endpoint), endpoint);
        added++;
      }
    }
  }
  return { groups, invalid, beyond };
}

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip], conditions: { ready }, ...(hostname === undefined || hostname === "" ? {} : { hostname }), ...(nodeName === undefined ? {} : { nodeName }), ...(targetRef === undefined ? {} : { targetRef }),
});
const identity = ({ addresses, hostname, nodeName, targetRef }: Endpoint): string => canonicalJson([addresses, hostname ?? "", nodeName ?? "", targetRef?.uid ?? targetRef?.name ?? ""]);

function newSlice(endpoints: Endpoints, { family, ports, wanted }: Group): EndpointSlice {
  const { name, namespace, labels = {}, annotations = {} } = endpoints.metadata, kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !OWN_ANNOTATIONS.has(key)));
  const metadata = {
    generateName: slicePrefix(name), namespace, labels: { ...labels, [SERVICE_NAME_LABEL]: name, [MANAGED_BY_LABEL]: MIRRORING_CONTROLLER },
    ...(Object.keys(kept).length === 0 ? {} : { annotations: kept }), ownerReferences: [newControllerRef(endpoints, endpointsReference)],
  } as unknown as ObjectMeta; // The server gives it its name.
  return { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", addressType: family, ports, endpoints: [...wanted.values()], metadata };
}

/** Whether a slice shows what the fresh one would, in whatever order. */
function shows(slice: EndpointSlice, fresh: EndpointSlice): boolean {
  const facts = ({ metadata, endpoints }: EndpointSlice): string => canonicalJson([metadata.labels ?? {}, metadata.annotations ?? {}, (endpoints ?? []).map((endpoint) => canonicalJson(endpoint)).sort()]);
  return facts(slice) === facts(fresh);
}

/** The fresh slice under the name of one that is there. */
function into(old: EndpointSlice, fresh: EndpointSlice): EndpointSlice {
  const { labels, annotations, ownerReferences } = fresh.metadata, { annotations: _, ...kept } = old.metadata;
  return { ...old, ports: fresh.ports, endpoints: fresh.endpoints, metadata: { ...kept, labels, ...(annotations === undefined ? {} : { annotations }), ownerReferences } };
}
