/**
 * Rules that keep lookups on the node: packets to and from the cluster DNS address are not tracked, so they pass by every
 * translation, never race for a tracking entry (a lookup that loses that race waits five seconds), and are let in whatever the host's policy.
 * Counterpart: NodeLocal DNSCache's rules, in chains of our own.
 */
import { chainsOf, commentMatch, diffTable, formatRule, noTrack, type Chains, type Iptables, type Jump, type RuleSpec, type TableChanges } from "../node-iptables/index.ts";

export const DNS_CHAIN = "KAJI-DNS";
const PROTOCOLS = ["udp", "tcp"] as const;

/** Chains by table. Pure. */
export function dnsChains(address: string, port = 53): { raw: Chains; filter: Chains } {
  const host = `${address}${address.includes(":") ? "/128" : "/32"}`;
  const directions = PROTOCOLS.flatMap((protocol): RuleSpec[] => [{ destination: host, protocol, destinationPort: port }, { source: host, protocol, sourcePort: port }]);
  return {
    raw: new Map([[DNS_CHAIN, directions.map((spec) => formatRule({ ...spec, jump: noTrack() }))]]),
    filter: new Map([[DNS_CHAIN, directions.map((spec) => formatRule({ ...spec, jump: "ACCEPT" }))]]),
  };
}

export function dnsJumps(): Jump[] {
  const rule = formatRule({ matches: [commentMatch("cluster DNS stays on the node")], jump: DNS_CHAIN });
  return [["raw", "PREROUTING"], ["raw", "OUTPUT"], ["filter", "INPUT"], ["filter", "OUTPUT"]].map(([table, chain]) => ({ table: table!, chain: chain!, rule }));
}

/** Puts the rules in, or right. Returns how many chains and jumps it touched. */
export async function ensureDnsRules(iptables: Iptables, address: string): Promise<number> {
  const tables: TableChanges[] = [];
  for (const [table, wanted] of Object.entries(dnsChains(address))) {
    const rules = await iptables.listChain(table, DNS_CHAIN);
    tables.push({ table, changes: diffTable(rules === undefined ? new Map() : new Map([[DNS_CHAIN, rules]]), wanted, () => true) });
  }
  await iptables.apply(tables);
  return tables.reduce((sum, table) => sum + table.changes.length, 0) + await iptables.ensureJumps(dnsJumps());
}

/** Takes them out again. */
export async function removeDnsRules(iptables: Iptables): Promise<void> {
  await iptables.removeJumps(dnsJumps());
  for (const table of ["raw", "filter"]) if (chainsOf(await iptables.save(table), table).has(DNS_CHAIN)) await iptables.apply([{ table, changes: [{ kind: "delete", chain: DNS_CHAIN }] }]);
}
