/** Rules that do not depend on any Service: marks, masquerading, forwarding, canaries, and the jumps into all of it. Pure. */
import { addressType, commentMatch, connectionState, formatRule, mark, masquerade, orMark, xorMark, type Jump } from "../node-iptables/index.ts";
import { FIXED_CHAINS as C } from "./chain-names.ts";
import type { RenderOptions } from "./render-options.ts";

/** As upstream's, the state comes before the comment: rules left by it are then recognised, not doubled. */
const jump = (table: string, chain: string, target: string, comment: string, onlyNew = false): Jump =>
  ({ table, chain, rule: formatRule({ matches: [...(onlyNew ? [connectionState("NEW")] : []), commentMatch(comment)], jump: target }) });

/** Where built-in chains jump into ours. */
export function jumpRules(): Jump[] {
  const external = "kubernetes externally-visible service portals", portals = "kubernetes service portals", firewall = "kubernetes load balancer firewall";
  return [
    jump("filter", "INPUT", C.externalServices, external, true),
    jump("filter", "FORWARD", C.externalServices, external, true),
    jump("filter", "INPUT", C.nodePorts, "kubernetes health check service ports"),
    jump("filter", "FORWARD", C.services, portals, true),
    jump("filter", "OUTPUT", C.services, portals, true),
    jump("filter", "FORWARD", C.forward, "kubernetes forwarding rules"),
    jump("filter", "INPUT", C.proxyFirewall, firewall, true),
    jump("filter", "OUTPUT", C.proxyFirewall, firewall, true),
    jump("filter", "FORWARD", C.proxyFirewall, firewall, true),
    jump("nat", "OUTPUT", C.services, portals),
    jump("nat", "PREROUTING", C.services, portals),
    jump("nat", "POSTROUTING", C.postrouting, "kubernetes postrouting rules"),
    { table: "filter", chain: "INPUT", rule: formatRule({ jump: C.kubeletFirewall }) },
    { table: "filter", chain: "OUTPUT", rule: formatRule({ jump: C.kubeletFirewall }) },
  ];
}

/** The rule in each canary chain: its absence says that somebody flushed the tables. */
export const CANARY_RULE = formatRule({ comment: "kube-proxy notices by this rule when tables are flushed" });
export const CANARY_TABLES = ["mangle", "nat", "filter"] as const;

export interface BaseChains { readonly nat: ReadonlyMap<string, readonly string[]>; readonly filter: ReadonlyMap<string, readonly string[]>; readonly mangle: ReadonlyMap<string, readonly string[]> }

/** The chains whose rules are always the same. KUBE-SERVICES and its kind are not among them. */
export function baseChains(options: RenderOptions): BaseChains {
  const bit = 1 << options.masqueradeBit;
  const nat = new Map<string, string[]>([
    [C.postrouting, [
      formatRule({ matches: [mark(bit, bit, true)], jump: "RETURN" }),
      formatRule({ jump: xorMark(bit) }), // So that a packet which travels the stack twice is not masqueraded twice.
      formatRule({ comment: "kubernetes service traffic requiring SNAT", jump: masquerade(options.randomFully) }),
    ]],
    [C.markMasquerade, [formatRule({ jump: orMark(bit) })]],
    [C.canary, [CANARY_RULE]],
  ]);
  const forward = options.conntrackTcpLiberal ? [] : [formatRule({ matches: [connectionState("INVALID")], jump: "DROP" })];
  forward.push(
    formatRule({ comment: "kubernetes forwarding rules", matches: [mark(bit, bit)], jump: "ACCEPT" }),
    formatRule({ comment: "kubernetes forwarding conntrack rule", matches: [connectionState("RELATED,ESTABLISHED")], jump: "ACCEPT" }),
  );
  // With route_localnet on, others on the wire could reach what listens on 127.0.0.1 only.
  const localnet = options.family === 4 && options.localhostNodePorts
    ? [formatRule({ source: { not: "127.0.0.0/8" }, destination: "127.0.0.0/8", comment: "block incoming localnet connections", matches: [connectionState("RELATED,ESTABLISHED,DNAT", true)], jump: "DROP" })] : [];
  const filter = new Map<string, string[]>([[C.forward, forward], [C.kubeletFirewall, localnet], [C.canary, [CANARY_RULE]]]);
  return { nat, filter, mangle: new Map([[C.canary, [CANARY_RULE]]]) };
}

/** The last rules of KUBE-SERVICES: everything to this node's own addresses may be a NodePort. */
export function nodePortJumps(options: RenderOptions): string[] {
  const comment = "kubernetes service nodeports; NOTE: this must be the last rule in this chain";
  if (options.nodePortAddresses === "all") {
    const loopback = options.family === 6 ? "::1/128" : options.localhostNodePorts ? undefined : "127.0.0.0/8";
    return [formatRule({ comment, matches: [addressType("dst", "LOCAL")], ...(loopback === undefined ? {} : { destination: { not: loopback } }), jump: C.nodePorts })];
  }
  const suffix = options.family === 4 ? "/32" : "/128";
  return options.nodePortAddresses.filter((address) => !isLoopback(address) || (options.family === 4 && options.localhostNodePorts))
    .map((address) => formatRule({ destination: `${address}${suffix}`, comment, jump: C.nodePorts }));
}

const isLoopback = (address: string): boolean => address.startsWith("127.") || address === "::1";
