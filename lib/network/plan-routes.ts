/** How packets reach the pods of other nodes: straight to the node where it is a neighbour, through VXLAN where not. Pure. */
import { ROUTE_PROTOCOL, type ForwardingEntry, type KernelRoute, type Neighbour } from "./iproute.ts";
import { firstAddress, onSameSubnet, vtepMac, type Peer } from "./peers.ts";

export type Backend = "routes" | "vxlan" | "auto";
export const VXLAN_DEVICE = "kaji.1", VXLAN_ID = 1, VXLAN_PORT = 8472, VXLAN_OVERHEAD_BYTES = 50;

export interface WantedRoute { readonly dst: string; readonly gateway: string; /** Set where the gateway is reached on a device of ours. */ readonly dev?: string }
export interface WantedTunnel { readonly mac: string; /** The peer's own address. */ readonly remote: string; /** The inner next hop. */ readonly neighbour: string }
export interface RoutePlan { readonly routes: readonly WantedRoute[]; readonly tunnels: readonly WantedTunnel[] }

/** Decides for every peer. `subnets` are this host's addresses with prefix lengths. */
export function planRoutes(peers: readonly Peer[], backend: Backend, subnets: readonly { readonly address: string; readonly prefix: number }[]): RoutePlan {
  const routes: WantedRoute[] = [], tunnels: WantedTunnel[] = [];
  for (const peer of peers) {
    const near = subnets.some(({ address, prefix }) => onSameSubnet(address, prefix, peer.address));
    if (backend === "routes" || (backend === "auto" && near)) {
      routes.push({ dst: peer.podCidr, gateway: peer.address });
      continue;
    }
    const neighbour = firstAddress(peer.podCidr);
    routes.push({ dst: peer.podCidr, gateway: neighbour, dev: VXLAN_DEVICE });
    tunnels.push({ mac: vtepMac(peer.name), remote: peer.address, neighbour });
  }
  return { routes, tunnels };
}

export type Command = readonly [program: "ip" | "bridge", ...words: string[]];
export interface Commands { /** To be run first; each may find its object gone. */ readonly remove: readonly Command[]; readonly add: readonly Command[] }

/** The commands that turn the kernel's routes into the wanted ones. `present` holds only routes of our protocol. */
export function diffRoutes(present: readonly KernelRoute[], wanted: readonly WantedRoute[]): Commands {
  const remove: Command[] = [], add: Command[] = [];
  const is = (route: KernelRoute, wish: WantedRoute): boolean => withPrefix(route.dst) === wish.dst && route.gateway === wish.gateway && (wish.dev === undefined ? route.dev !== VXLAN_DEVICE : route.dev === wish.dev);
  for (const route of present) if (!wanted.some((wish) => withPrefix(route.dst) === wish.dst)) remove.push(["ip", "route", "del", route.dst, "proto", ROUTE_PROTOCOL]);
  for (const wish of wanted) {
    if (present.some((route) => is(route, wish))) continue;
    add.push(["ip", "route", "replace", wish.dst, "via", wish.gateway, ...(wish.dev === undefined ? [] : ["dev", wish.dev, "onlink"]), "proto", ROUTE_PROTOCOL]);
  }
  return { remove, add };
}

/** A host route is printed without its length. */
const withPrefix = (dst: string): string => (dst.includes("/") ? dst : `${dst}/32`);

/** The commands that turn the VXLAN device's neighbours and forwarding entries into the wanted ones. */
export function diffTunnels(neighbours: readonly Neighbour[], forwarding: readonly ForwardingEntry[], wanted: readonly WantedTunnel[]): Commands {
  const remove: Command[] = [], add: Command[] = [];
  for (const { dst } of neighbours) if (!wanted.some((tunnel) => tunnel.neighbour === dst)) remove.push(["ip", "neigh", "del", dst, "dev", VXLAN_DEVICE]);
  for (const { mac, dst } of forwarding) {
    if (dst !== undefined && !wanted.some((tunnel) => tunnel.mac === mac && tunnel.remote === dst)) remove.push(["bridge", "fdb", "del", mac, "dev", VXLAN_DEVICE, "dst", dst]);
  }
  for (const { mac, remote, neighbour } of wanted) {
    if (!neighbours.some((n) => n.dst === neighbour && n.lladdr === mac)) add.push(["ip", "neigh", "replace", neighbour, "lladdr", mac, "dev", VXLAN_DEVICE, "nud", "permanent"]);
    if (!forwarding.some((entry) => entry.mac === mac && entry.dst === remote)) add.push(["bridge", "fdb", "append", mac, "dev", VXLAN_DEVICE, "dst", remote]);
  }
  return { remove, add };
}
