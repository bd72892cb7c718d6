/** Takes every rule and chain of the proxy out of the kernel, those of upstream's iptables proxy included. Counterpart: `CleanupLeftovers`. */
import { chainsOf, type ChainChange, type Iptables } from "../node-iptables/index.ts";
import { FIXED_CHAINS, SERVICE_CHAIN } from "./chain-names.ts";
import { CANARY_TABLES, jumpRules } from "./render-base.ts";

const FIXED = new Set<string>(Object.values(FIXED_CHAINS));
const isOurs = (chain: string): boolean => FIXED.has(chain) || SERVICE_CHAIN.test(chain) || chain === "KUBE-MARK-DROP";

/** Returns how many chains were removed. Does nothing where there are none. */
export async function cleanupProxy(iptables: Iptables): Promise<number> {
  let removed = 0;
  await iptables.removeJumps(jumpRules());
  for (const table of CANARY_TABLES) {
    const changes = [...chainsOf(await iptables.save(table), table).keys()].filter(isOurs).map((chain): ChainChange => ({ kind: "delete", chain }));
    removed += changes.length;
    await iptables.apply([{ table, changes }]);
  }
  return removed;
}
