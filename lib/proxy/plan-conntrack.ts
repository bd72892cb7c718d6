/**
 * Which tracked connections point to endpoints that serve them no more. Pure.
 *
 * The kernel translates a flow as its first packet was translated, whatever the rules say later; so a UDP sender would talk to
 * a dead endpoint for ever. Stale is a flow to an address of ours whose translation is none of today's endpoints:
 * also when no endpoint is left, when the Service is gone, and when it was never translated though endpoints exist now.
 * A flow that is as today's rules would make it is never stale, so a restart without changes deletes nothing.
 * Counterpart: kube-proxy `conntrack/cleanup.go`.
 */
import type { Protocol } from "./service-port.ts";

/** Where one port's traffic goes; addresses are `ip port`. */
export interface FlowTarget {
  readonly protocol: Protocol;
  readonly addresses: readonly string[];
  /** 0 when there is none. */
  readonly nodePort: number;
  readonly endpoints: readonly string[];
}

export interface TrackedFlow {
  /** Where the first packet was sent, `ip port`. */
  readonly destination: string;
  /** Who answers, `ip port`: the endpoint it was translated to. */
  readonly answerer: string;
  readonly state: string | undefined;
}

/** Targets by destination; endpoints of an address that was ours and is so no longer: an empty set. */
export interface TargetIndex { readonly addresses: ReadonlyMap<string, ReadonlySet<string>>; readonly nodePorts: ReadonlyMap<number, ReadonlySet<string>> }
export interface GoneTargets { readonly addresses: ReadonlySet<string>; readonly nodePorts: ReadonlySet<number> }

const NO_ENDPOINTS: ReadonlySet<string> = new Set();

/** `ip port`: the key form of this file. */
export const endOf = (ip: string, port: number): string => `${ip} ${port}`;

export function indexTargets(targets: Iterable<FlowTarget>, protocol: Protocol, gone: GoneTargets): TargetIndex {
  const addresses = new Map<string, ReadonlySet<string>>(), nodePorts = new Map<number, ReadonlySet<string>>();
  for (const address of gone.addresses) addresses.set(address, NO_ENDPOINTS);
  for (const port of gone.nodePorts) nodePorts.set(port, NO_ENDPOINTS);
  for (const target of targets) {
    if (target.protocol !== protocol) continue;
    const endpoints = new Set(target.endpoints);
    for (const address of target.addresses) addresses.set(address, endpoints);
    if (target.nodePort !== 0) nodePorts.set(target.nodePort, endpoints);
  }
  return { addresses, nodePorts };
}

/** The stale ones, each destination and answerer once. `localAddresses` are this host's own, on which node ports answer. */
export function planStaleFlows(flows: readonly TrackedFlow[], index: TargetIndex, localAddresses: ReadonlySet<string>): TrackedFlow[] {
  const stale = new Map<string, TrackedFlow>();
  for (const flow of flows) {
    const endpoints = index.addresses.get(flow.destination) ?? nodePortEndpoints(flow, index, localAddresses);
    if (endpoints === undefined || endpoints.has(flow.answerer)) continue;
    if (flow.destination === flow.answerer && endpoints.size === 0) continue; // Not translated, and nothing to translate it to.
    stale.set(`${flow.destination} ${flow.answerer}`, flow);
  }
  return [...stale.values()];
}

function nodePortEndpoints(flow: TrackedFlow, { nodePorts }: TargetIndex, localAddresses: ReadonlySet<string>): ReadonlySet<string> | undefined {
  const [ip, port] = flow.destination.split(" ");
  return nodePorts.size > 0 && localAddresses.has(ip!) ? nodePorts.get(Number(port)) : undefined;
}

/** Reads `conntrack -L`. Lines of protocols without ports are left out. */
export function parseConntrack(text: string): TrackedFlow[] {
  const flows: TrackedFlow[] = [];
  for (const line of text.split("\n")) {
    const match = /^\w+\s+\d+ (?:\d+ )?(?:([A-Z_0-9]+) )?src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+)/.exec(line);
    if (match !== null) flows.push({ destination: `${match[2]} ${match[3]}`, answerer: `${match[4]} ${match[5]}`, state: match[1] });
  }
  return flows;
}

/** Addresses and node ports that rules of an earlier run sent on, for one protocol: what may have left flows behind. */
export function programmedTargets(servicesRules: readonly string[], nodePortRules: readonly string[], protocol: Protocol): { addresses: Set<string>; nodePorts: Set<number> } {
  const addresses = new Set<string>(), nodePorts = new Set<number>();
  for (const rule of servicesRules) {
    const match = new RegExp(`^-d (\\S+)/\\d+ -p ${protocol} .*--dport (\\d+)`).exec(rule);
    if (match !== null) addresses.add(`${match[1]} ${match[2]}`);
  }
  for (const rule of nodePortRules) {
    const match = new RegExp(`^-p ${protocol} .*--dport (\\d+)`).exec(rule);
    if (match !== null) nodePorts.add(Number(match[1]));
  }
  return { addresses, nodePorts };
}
