/** Removes everything the pod network ever makes on a host: rules, routes, links, and the runtime's configuration. */
import { rm } from "node:fs/promises";
import type { Iptables } from "../node-iptables/index.ts";
import type { Logger } from "../util/logger.ts";
import { BRIDGE, CNI_DIR, CNI_NETWORK, removeCniConfig } from "./cni-config.ts";
import { removeFirewall } from "./firewall.ts";
import type { IpRoute } from "./iproute.ts";
import { RouteKeeper } from "./route-keeper.ts";

/** The bridge is made by the CNI plugin from our configuration; its address leases go with it, or they would never be free again. */
export async function cleanupNetwork(deps: { ip: IpRoute; iptables: Iptables | undefined; log: Logger }, { cniDir = CNI_DIR, leaseDir = "/var/lib/cni/networks" } = {}): Promise<void> {
  await removeCniConfig(cniDir);
  if (deps.iptables !== undefined) await removeFirewall(deps.iptables);
  await new RouteKeeper(deps.ip, deps.log).clear();
  await deps.ip.remove("ip", "link", "del", BRIDGE);
  await rm(`${leaseDir}/${CNI_NETWORK}`, { recursive: true, force: true });
}
