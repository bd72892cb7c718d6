/** What the rules depend on beside Services and endpoints; resolved once, at the edge. */
import type { RuleSpec } from "../node-iptables/index.ts";
import type { Place } from "./select-endpoints.ts";
import type { Family } from "./service-port.ts";

export interface RenderOptions extends Place {
  readonly family: Family;
  /** The node's own address, for load balancer source ranges. */
  readonly nodeIp: string | undefined;
  /** Masquerade everything that goes to a cluster IP. */
  readonly masqueradeAll: boolean;
  /** Bit of the packet mark that says "masquerade". */
  readonly masqueradeBit: number;
  /** How traffic of this node's pods is told from other traffic; undefined when it cannot be. */
  readonly localTraffic: { readonly is: RuleSpec; readonly not: RuleSpec } | undefined;
  /** Whether NodePorts answer on 127.0.0.1 (never in IPv6). */
  readonly localhostNodePorts: boolean;
  /** Addresses of this node on which NodePorts answer; "all" for every one. */
  readonly nodePortAddresses: "all" | readonly string[];
  /** Whether this iptables knows MASQUERADE --random-fully. */
  readonly randomFully: boolean;
  /** The kernel is lenient about odd TCP packets: those it calls INVALID are then let through. */
  readonly conntrackTcpLiberal: boolean;
  /** Leaves the comments out of the chains of endpoints: they are 40 % of the rules of a large cluster. */
  readonly omitEndpointComments: boolean;
}

export const MASQUERADE_BIT_DEFAULT = 14;
/** Above this many endpoints their comments are left out. Counterpart: upstream's large cluster mode. */
export const LARGE_CLUSTER_ENDPOINTS = 1_000;

export type DetectLocalMode = "ClusterCIDR" | "NodeCIDR" | "BridgeInterface" | "InterfaceNamePrefix";

/** Rule parts for a way of telling local traffic; undefined when what it needs is missing. */
export function localTraffic(mode: DetectLocalMode, value: string | undefined): RenderOptions["localTraffic"] {
  if (value === undefined || value === "") return undefined;
  if (mode === "ClusterCIDR" || mode === "NodeCIDR") return { is: { source: value }, not: { source: { not: value } } };
  const name = mode === "InterfaceNamePrefix" ? `${value}+` : value;
  return { is: { in: name }, not: { in: { not: name } } };
}
