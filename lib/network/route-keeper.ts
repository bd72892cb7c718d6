/**
 * Route keeper: makes the kernel's routes (and the VXLAN device, when there is need of one) what a plan says.
 *
 * Promises: routes of others are never touched, since ours carry a protocol number; one peer that cannot be reached (its
 * next hop is no neighbour) does not keep the others from theirs.
 */
import { writeFile } from "node:fs/promises";
import { exec } from "../util/exec.ts";
import type { Logger } from "../util/logger.ts";
import type { IpRoute, Link } from "./iproute.ts";
import { firstAddress, vtepMac } from "./peers.ts";
import { VXLAN_DEVICE, VXLAN_ID, VXLAN_PORT, diffRoutes, diffTunnels, type Command, type Commands, type RoutePlan } from "./plan-routes.ts";

export interface TunnelEnd { readonly nodeName: string; readonly address: string; readonly podCidr: string; readonly mtu: number; /** The link that carries the outer packets. */ readonly underlay: string }

export class RouteKeeper {
  readonly #ip: IpRoute;
  readonly #log: Logger;
  #toldOffload = false;

  constructor(ip: IpRoute, log: Logger) {
    this.#ip = ip;
    this.#log = log;
  }

  /** Without `tunnelEnd` the VXLAN device is left alone. Returns how many commands it took. Throws when nothing could be read; a failed command is logged and the rest is done. */
  async sync(plan: RoutePlan, tunnelEnd?: TunnelEnd): Promise<number> {
    let count = 0;
    if (plan.tunnels.length > 0 && tunnelEnd !== undefined) {
      await this.#ensureDevice(tunnelEnd);
      count += await this.#run(diffTunnels(await this.#ip.neighbours(VXLAN_DEVICE), await this.#ip.forwarding(VXLAN_DEVICE), plan.tunnels));
    }
    count += await this.#run(diffRoutes(await this.#ip.routes(), plan.routes));
    if (plan.tunnels.length === 0 && tunnelEnd !== undefined && await this.#ip.link(VXLAN_DEVICE) !== undefined) count += Number(await this.#ip.remove("ip", "link", "del", VXLAN_DEVICE));
    return count;
  }

  /** Removes every route and link ever made here. */
  async clear(): Promise<void> {
    await this.#run(diffRoutes(await this.#ip.routes(), []));
    if (await this.#ip.link(VXLAN_DEVICE) !== undefined) await this.#ip.remove("ip", "link", "del", VXLAN_DEVICE);
  }

  async #run({ remove, add }: Commands): Promise<number> {
    for (const [program, ...words] of remove) await this.#ip.remove(program, ...words);
    for (const command of add) await this.#try(command);
    return remove.length + add.length;
  }

  async #try([program, ...words]: Command): Promise<void> {
    try { await (program === "ip" ? this.#ip.ip(...words) : this.#ip.bridge(...words)); }
    catch (error) { this.#log.warn({ command: [program, ...words].join(" "), error }, "cannot reach the pods of a node"); }
  }

  async #ensureDevice(end: TunnelEnd): Promise<void> {
    const mac = vtepMac(end.nodeName), link = await this.#ip.link(VXLAN_DEVICE);
    if (link !== undefined && !isSameDevice(link, end)) await this.#ip.remove("ip", "link", "del", VXLAN_DEVICE);
    if (link === undefined || !isSameDevice(link, end)) {
      await this.#ip.ip("link", "add", VXLAN_DEVICE, "address", mac, "mtu", String(end.mtu), "type", "vxlan", "id", String(VXLAN_ID), "dstport", String(VXLAN_PORT), "local", end.address, "dev", end.underlay, "nolearning", "noudpcsum");
      await this.#ip.ip("address", "replace", `${firstAddress(end.podCidr)}/32`, "dev", VXLAN_DEVICE);
      await this.#offloadOff();
    } else {
      if (link.address !== mac) await this.#ip.ip("link", "set", VXLAN_DEVICE, "address", mac);
      if (link.mtu !== end.mtu) await this.#ip.ip("link", "set", VXLAN_DEVICE, "mtu", String(end.mtu));
      await this.#ip.ip("address", "replace", `${firstAddress(end.podCidr)}/32`, "dev", VXLAN_DEVICE);
    }
    await this.#ip.ip("link", "set", VXLAN_DEVICE, "up");
    // Replies may come in another way than strict reverse-path checks expect; the device name has a dot, so no sysctl name fits.
    await writeFile(`/proc/sys/net/ipv4/conf/${VXLAN_DEVICE}/rp_filter`, "2").catch(() => {});
  }

  /**
   * Some kernels and cards write wrong checksums on translated packets inside VXLAN, which are then dropped. The outer
   * checksum is off altogether (`noudpcsum`); the inner one is left to the CPU where ethtool is there to say so.
   */
  async #offloadOff(): Promise<void> {
    try { await exec("ethtool", ["-K", VXLAN_DEVICE, "tx-checksum-ip-generic", "off"], { timeoutMs: 5_000 }); }
    catch {
      if (!this.#toldOffload) this.#log.debug({ device: VXLAN_DEVICE }, "inner checksum offload stays on: the program ethtool is not installed or cannot change it");
      this.#toldOffload = true;
    }
  }
}

function isSameDevice(link: Link, end: TunnelEnd): boolean {
  const data = link.linkinfo?.info_data ?? {};
  return link.linkinfo?.info_kind === "vxlan" && data["id"] === VXLAN_ID && data["port"] === VXLAN_PORT && data["local"] === end.address && data["learning"] !== true;
}
