/** What the pod network needs to know of nodes. Pure. */
import { createHash } from "node:crypto";
import type { Node } from "../api/schema/generated/models.ts";
import { cidrContains, formatCidr, formatIp, parseCidr, parseIp } from "../util/ip.ts";

export interface Peer {
  readonly name: string;
  /** Its InternalIP. */
  readonly address: string;
  /** Its pods, canonical. */
  readonly podCidr: string;
}

/** The node's first IPv4 pod range; undefined until it has one. */
export function podCidrOf(node: Node): string | undefined {
  for (const text of node.spec?.podCIDRs?.length ? node.spec.podCIDRs : [node.spec?.podCIDR ?? ""]) {
    const cidr = parseCidr(text);
    if (cidr !== undefined && cidr.ip.family === 4) return formatCidr(cidr);
  }
  return undefined;
}

/** The node's first IPv4 InternalIP. */
export function internalIpOf(node: Node): string | undefined {
  for (const { type, address } of node.status?.addresses ?? []) {
    const ip = type === "InternalIP" ? parseIp(address) : undefined;
    if (ip !== undefined && ip.family === 4) return formatIp(ip);
  }
  return undefined;
}

/** All other nodes that have both an address and a pod range, by name. */
export function peersOf(nodes: readonly Node[], own: string): Peer[] {
  const peers: Peer[] = [];
  for (const node of nodes) {
    const address = internalIpOf(node), podCidr = podCidrOf(node), name = node.metadata.name!;
    if (name !== own && address !== undefined && podCidr !== undefined) peers.push({ name, address, podCidr });
  }
  return peers.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Whether `address` is in the subnet of `local` (an address with its prefix length), so that it can be a next hop. */
export function onSameSubnet(local: string, prefix: number, address: string): boolean {
  const ip = parseIp(local), other = parseIp(address);
  return ip !== undefined && other !== undefined && cidrContains({ ip, prefix }, other);
}

/** The first address of a range: what the VXLAN device of a node carries. */
export function firstAddress(cidr: string): string { return cidr.slice(0, cidr.indexOf("/")); }

/**
 * The hardware address of a node's VXLAN device, made from its name: every node can work out every other's, so none has to
 * be published and no right to write Nodes is needed. Locally administered, unicast.
 */
export function vtepMac(nodeName: string): string {
  const bytes = createHash("sha256").update(`vxlan ${nodeName}`).digest().subarray(0, 6);
  bytes[0] = (bytes[0]! & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}
