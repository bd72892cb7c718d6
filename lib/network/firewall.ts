/**
 * Rules of the pod network: traffic of pods is forwarded even where the host's policy is to drop, and masqueraded when it
 * leaves the cluster. In chains of its own, below the Services' chains in FORWARD (they refuse what has no endpoints).
 */
import { chainsOf, commentMatch, diffTable, formatRule, masquerade, type Chains, type Iptables, type Jump, type TableChanges } from "../node-iptables/index.ts";

export const FORWARD_CHAIN = "KAJI-FORWARD", POSTROUTING_CHAIN = "KAJI-POSTROUTING";
const MULTICAST = "224.0.0.0/4";

export interface FirewallOptions {
  /** All pods of the cluster, or, where that is not known, this node's pods. */
  readonly sources: readonly string[];
  /** What is not outside: all pods' ranges. */
  readonly inside: readonly string[];
  readonly randomFully: boolean;
}

/** Chains by table. Pure. */
export function networkChains({ sources, inside, randomFully }: FirewallOptions): { filter: Chains; nat: Chains } {
  const forward: string[] = [], postrouting: string[] = [];
  for (const range of inside) {
    forward.push(formatRule({ source: range, comment: "traffic from pods", jump: "ACCEPT" }), formatRule({ destination: range, comment: "traffic to pods", jump: "ACCEPT" }));
  }
  for (const source of sources) {
    for (const destination of [...inside, MULTICAST]) postrouting.push(formatRule({ source, destination, comment: "stays in the cluster", jump: "RETURN" }));
    postrouting.push(formatRule({ source, comment: "leaves the cluster", jump: masquerade(randomFully) }));
  }
  return { filter: new Map([[FORWARD_CHAIN, forward]]), nat: new Map([[POSTROUTING_CHAIN, postrouting]]) };
}

export function networkJumps(): Jump[] {
  return [
    { table: "filter", chain: "FORWARD", rule: formatRule({ matches: [commentMatch("pod network")], jump: FORWARD_CHAIN }), below: /^KUBE-/ },
    { table: "nat", chain: "POSTROUTING", rule: formatRule({ matches: [commentMatch("pod network")], jump: POSTROUTING_CHAIN }), below: /^KUBE-/ },
  ];
}

/** Brings the kernel's rules to what is wanted; reads only our own chains. Returns how many chains and jumps it touched. */
export async function syncFirewall(iptables: Iptables, options: FirewallOptions): Promise<number> {
  const changes: TableChanges[] = [];
  for (const [table, wanted] of Object.entries(networkChains(options))) {
    const present = new Map<string, readonly string[]>();
    for (const chain of wanted.keys()) {
      const rules = await iptables.listChain(table, chain);
      if (rules !== undefined) present.set(chain, rules);
    }
    changes.push({ table, changes: diffTable(present, wanted, () => true) });
  }
  await iptables.apply(changes);
  return changes.reduce((sum, table) => sum + table.changes.length, 0) + await iptables.ensureJumps(networkJumps());
}

export async function removeFirewall(iptables: Iptables): Promise<void> {
  await iptables.removeJumps(networkJumps());
  for (const [table, chain] of [["filter", FORWARD_CHAIN], ["nat", POSTROUTING_CHAIN]] as const) {
    if (chainsOf(await iptables.save(table), table).has(chain)) await iptables.apply([{ table, changes: [{ kind: "delete", chain }] }]);
  }
}
