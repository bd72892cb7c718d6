/**
 * Which endpoints a port's traffic goes to: by traffic policy, topology hints, and serving ones that are terminating when
 * none is ready. Pure. Counterpart: kube-proxy `topology.go` (KEPs 1669, 2086, 2433, 3015).
 */
import type { EndpointInfo } from "./endpoints.ts";
import { usesClusterEndpoints, usesLocalEndpoints, type ServicePortInfo } from "./service-port.ts";

export interface Place { readonly nodeName: string; /** Value of the node's label topology.kubernetes.io/zone, or "". */ readonly zone: string }

export interface SelectedEndpoints {
  /** For policy Cluster; empty when the port never uses it. */
  readonly cluster: readonly EndpointInfo[];
  /** For policy Local; empty when the port never uses it. */
  readonly local: readonly EndpointInfo[];
  /** Both together. */
  readonly reachable: readonly EndpointInfo[];
  /** Whether any node has a usable endpoint. */
  readonly any: boolean;
}

const isReady = (e: EndpointInfo): boolean => e.ready;
const isLeaving = (e: EndpointInfo): boolean => e.serving && e.terminating;

/** `endpoints` are sorted by text and so are the results. */
export function selectEndpoints(endpoints: readonly EndpointInfo[], port: ServicePortInfo, place: Place): SelectedEndpoints {
  let cluster: readonly EndpointInfo[] = [], local: readonly EndpointInfo[] = [];
  if (usesClusterEndpoints(port)) {
    cluster = endpoints.filter(isReady).filter(hintFilter(endpoints, place));
    if (cluster.length === 0) cluster = endpoints.filter(isLeaving);
  }
  if (!usesLocalEndpoints(port)) return { cluster, local, reachable: cluster, any: cluster.length > 0 };
  local = endpoints.filter((e) => e.local && e.ready);
  if (local.length === 0) local = endpoints.filter((e) => e.local && isLeaving(e));
  const any = cluster.length > 0 || endpoints.some((e) => isReady(e) || isLeaving(e));
  if (!usesClusterEndpoints(port)) return { cluster, local, reachable: local, any };
  const wanted = new Set([...cluster, ...local]);
  return { cluster, local, reachable: endpoints.filter((e) => wanted.has(e)), any };
}

/** Same node before same zone before everywhere; hints count only when every ready endpoint has them and one names us. */
function hintFilter(endpoints: readonly EndpointInfo[], { nodeName, zone }: Place): (e: EndpointInfo) => boolean {
  const ready = endpoints.filter(isReady);
  if (ready.every((e) => e.nodeHints.length > 0) && ready.some((e) => e.nodeHints.includes(nodeName))) return (e) => e.nodeHints.includes(nodeName);
  if (ready.every((e) => e.zoneHints.length > 0) && ready.some((e) => e.zoneHints.includes(zone))) return (e) => e.zoneHints.includes(zone);
  return () => true;
}
