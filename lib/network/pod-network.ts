/**
 * Pod network of one node: kernel settings, the container runtime's configuration, rules, and the way to other nodes' pods.
 *
 * Promises: nothing is set up before the node has a pod range; afterwards what is there is made what is wanted after every change
 * of nodes and every few seconds (a link that went down takes its routes along), and what is there already is left alone.
 * What it made stays when it stops, so pods keep their network. IPv4; an IPv6 pod range is warned about by name.
 * Counterpart: none upstream (a CNI provider such as flannel).
 */
import type { Node } from "../api/schema/generated/models.ts";
import { readSysctl, writeSysctl } from "../host/sysctl.ts";
import type { Iptables } from "../node-iptables/index.ts";
import type { Informer } from "../runtime/informer.ts";
import { aborted, isAbort } from "../util/abort.ts";
import type { Clock } from "../util/clock.ts";
import { exec } from "../util/exec.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { Wakeup } from "../util/wakeup.ts";
import { CNI_DIR, cniConfig, earlierConfigs, findPluginDir, writeCniConfig } from "./cni-config.ts";
import { syncFirewall } from "./firewall.ts";
import type { IpRoute, LinkAddress } from "./iproute.ts";
import { internalIpOf, peersOf, podCidrOf, type Peer } from "./peers.ts";
import { VXLAN_OVERHEAD_BYTES, planRoutes, type Backend, type RoutePlan } from "./plan-routes.ts";
import { RouteKeeper } from "./route-keeper.ts";

export interface PodNetworkDeps { readonly nodes: Informer<Node>; readonly ip: IpRoute; readonly iptables: Iptables; readonly clock: Clock; readonly log: Logger }
export interface PodNetworkOptions {
  readonly nodeName: string;
  readonly backend: Backend;
  /** IPv4 range of all pods; undefined when not known. */
  readonly clusterCidr: string | undefined;
  readonly cniDir?: string;
  readonly resyncMs?: number;
}

const RESYNC_MS = 5_000, RETRY_MS = 1_000, FIREWALL_CHECK_MS = 30_000;

export class PodNetwork implements Runnable {
  readonly name = "pod network";
  readonly #deps: PodNetworkDeps;
  readonly #options: Required<PodNetworkOptions>;
  readonly #keeper: RouteKeeper;
  #lastWanted = "";
  #lastFirewallMs = -Infinity;

  constructor(deps: PodNetworkDeps, options: PodNetworkOptions) {
    this.#deps = deps;
    this.#options = { cniDir: CNI_DIR, resyncMs: RESYNC_MS, ...options };
    this.#keeper = new RouteKeeper(deps.ip, deps.log);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { nodes, clock, log } = this.#deps, wakeup = new Wakeup(clock);
    const stop = nodes.onChange((change) => { if (change.type !== "updated" || facts(change.object) !== facts(change.old)) wakeup.ring(); });
    let told = "";
    try {
      await Promise.race([nodes.synced, aborted(signal)]);
      await findPluginDir().catch((error: Error) => log.error({ error: error.message }, "pods will not start"));
      for (const name of await earlierConfigs(this.#options.cniDir)) log.warn({ file: name }, "the container runtime will use this network configuration instead of ours");
      while (!signal.aborted) {
        let delayMs = this.#options.resyncMs;
        try {
          const problem = await this.#sync();
          if (problem !== undefined && problem !== told) log.info({ reason: problem }, "waiting to set up the pod network");
          told = problem ?? "";
        } catch (error) {
          log.error({ error }, "cannot set up the pod network, will retry");
          delayMs = RETRY_MS;
        }
        wakeup.ringIn(delayMs);
        await wakeup.wait(signal);
      }
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    } finally { stop(); }
  }

  /** One pass. Returns what it waits for, if anything. */
  async #sync(): Promise<string | undefined> {
    const { nodes, ip, clock, log } = this.#deps, { nodeName, backend, clusterCidr } = this.#options;
    const own = nodes.get(nodeName);
    if (own === undefined) return `node ${JSON.stringify(nodeName)} is not registered`;
    const podCidr = podCidrOf(own), address = internalIpOf(own);
    if (podCidr === undefined) return `node ${JSON.stringify(nodeName)} has no IPv4 pod range`;
    if (address === undefined) return `node ${JSON.stringify(nodeName)} has no IPv4 InternalIP`;
    const links = await ip.addresses(), underlay = links.find((link) => link.addr_info.some((info) => info.local === address));
    if (underlay === undefined) return `address ${address} of node ${JSON.stringify(nodeName)} is on no link`;
    const peers = peersOf(nodes.list(), nodeName), plan = planRoutes(peers, backend, subnetsOf(underlay));
    const mtu = this.#podMtu(underlay.mtu, plan);
    const wanted = JSON.stringify([podCidr, address, mtu, plan]), changed = wanted !== this.#lastWanted;
    if (changed) {
      await setKernel(log);
      const ipv6 = (own.spec?.podCIDRs ?? []).find((cidr) => cidr.includes(":"));
      if (ipv6 !== undefined) log.warn({ podCidr: ipv6 }, "IPv6 pod ranges are not set up by this release");
    }
    await this.#syncFirewall(changed || clock.monotonicMs() - this.#lastFirewallMs > FIREWALL_CHECK_MS, podCidr, clusterCidr, peers);
    await this.#keeper.sync(plan, { nodeName, address, podCidr, mtu: underlay.mtu - VXLAN_OVERHEAD_BYTES, underlay: underlay.ifname });
    // Last: a runtime that finds the file starts pods at once.
    if (await writeCniConfig(cniConfig({ podCidr, mtu }), this.#options.cniDir)) log.info({ podCidr, mtu, dir: this.#options.cniDir }, "pod network is set up");
    this.#lastWanted = wanted;
    return undefined;
  }

  /** Packets that may go through VXLAN need room for its header. */
  #podMtu(linkMtu: number, plan: RoutePlan): number {
    return this.#options.backend === "vxlan" || plan.tunnels.length > 0 ? linkMtu - VXLAN_OVERHEAD_BYTES : linkMtu;
  }

  async #syncFirewall(due: boolean, podCidr: string, clusterCidr: string | undefined, peers: readonly Peer[]): Promise<void> {
    if (!due) return;
    const { iptables, clock, log } = this.#deps;
    const inside = clusterCidr === undefined ? [podCidr, ...peers.map((peer) => peer.podCidr)] : [clusterCidr];
    const touched = await syncFirewall(iptables, { sources: [clusterCidr ?? podCidr], inside, randomFully: await iptables.hasRandomFully() });
    if (touched > 0) log.info({ touched }, "pod network rules written");
    this.#lastFirewallMs = clock.monotonicMs();
  }
}

const facts = (node: Node): string => JSON.stringify([podCidrOf(node), internalIpOf(node), node.metadata.deletionTimestamp]);
const subnetsOf = (link: LinkAddress): { address: string; prefix: number }[] => link.addr_info.filter((info) => info.family === "inet").map((info) => ({ address: info.local, prefix: info.prefixlen }));

/** Forwarding on, and bridged packets shown to iptables, without which a Service cannot be reached on its own node. */
async function setKernel(log: Logger): Promise<void> {
  if (await readSysctl("net.bridge.bridge-nf-call-iptables") === undefined) await exec("modprobe", ["br_netfilter"], { timeoutMs: 10_000 }).catch(() => {});
  for (const name of ["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"]) {
    if (await readSysctl(name) === undefined) { log.error({ setting: name }, "this kernel has no such setting: Services will not work between pods of one node"); continue; }
    await writeSysctl(name, "1");
  }
}
