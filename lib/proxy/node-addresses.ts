/** This host's own addresses, and which of them answer on node ports. Counterpart: kube-proxy `util/nodeport_addresses.go`. */
import { networkInterfaces } from "node:os";
import { cidrContains, formatIp, parseCidr, parseIp } from "../util/ip.ts";
import type { Family } from "./service-port.ts";

/** Canonical addresses of one family. */
export function localAddresses(family: Family): string[] {
  const found = new Set<string>();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family: its } of addresses ?? []) {
      const ip = its === `IPv${family}` ? parseIp(address.split("%")[0]!) : undefined;
      if (ip !== undefined) found.add(formatIp(ip));
    }
  }
  return [...found].sort();
}

/**
 * Resolves `--nodeport-addresses`: "all" when none is given or a range takes in everything; the word `primary` stands for the
 * node's own address. Throws RangeError on what is no range.
 */
export function nodePortAddresses(ranges: readonly string[], family: Family, local: readonly string[], nodeIp: string | undefined): "all" | string[] {
  if (ranges.length === 1 && ranges[0] === "primary") return nodeIp === undefined ? [] : [nodeIp];
  const cidrs = ranges.map((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new RangeError(`Cannot use node port addresses ${JSON.stringify(text)}: expected a CIDR or the word primary`);
    return cidr;
  }).filter((cidr) => cidr.ip.family === family);
  if (cidrs.length === 0 || cidrs.some((cidr) => cidr.prefix === 0)) return "all";
  return local.filter((text) => { const ip = parseIp(text); return ip !== undefined && cidrs.some((cidr) => cidrContains(cidr, ip)); });
}
