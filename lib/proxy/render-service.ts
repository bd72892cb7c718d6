/**
 * The rules of one Service: its own chains in `nat`, and its lines in the chains all Services share. Pure.
 *
 * Path of a packet: KUBE-SERVICES → (KUBE-FW →) KUBE-EXT or straight → KUBE-SVC (policy Cluster) or KUBE-SVL (Local) →
 * KUBE-SEP → DNAT. A port without a usable endpoint has only a line in `filter`: REJECT where no node has one, DROP where
 * policy Local finds none here. Counterpart: the loop in kube-proxy's `syncProxyRules`; rules are in iptables-save's form.
 */
import { addressType, dnat, formatRule, oneIn, recentCheck, recentSet, reject, type RuleSpec } from "../node-iptables/index.ts";
import { FIXED_CHAINS, endpointChain, servicePortChains, type ServicePortChains } from "./chain-names.ts";
import { portKey, type EndpointInfo, type EndpointsByPort } from "./endpoints.ts";
import { endOf, type FlowTarget } from "./plan-conntrack.ts";
import type { RenderOptions } from "./render-options.ts";
import { selectEndpoints, type SelectedEndpoints } from "./select-endpoints.ts";
import { externallyAccessible, rangeHolds, usesClusterEndpoints, usesLocalEndpoints, type ServicePortInfo } from "./service-port.ts";

export interface ServiceRules {
  /** Chains in `nat` that are this Service's alone. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Lines in shared chains. */
  readonly natServices: readonly string[];
  readonly natNodePorts: readonly string[];
  readonly filterServices: readonly string[];
  readonly filterExternal: readonly string[];
  readonly filterNodePorts: readonly string[];
  readonly filterFirewall: readonly string[];
  /** Ports whose policy Local finds no endpoint here while others have some. */
  readonly withoutLocal: { readonly internal: number; readonly external: number };
  /** Where each port's traffic goes: for the flows the kernel remembers. */
  readonly targets: readonly FlowTarget[];
}

interface Draft {
  chains: Map<string, string[]>;
  natServices: string[]; natNodePorts: string[]; filterServices: string[]; filterExternal: string[]; filterNodePorts: string[]; filterFirewall: string[];
  withoutLocal: { internal: number; external: number };
  targets: FlowTarget[];
}
interface PortContext {
  readonly port: ServicePortInfo; readonly chains: ServicePortChains; readonly endpoints: SelectedEndpoints; readonly options: RenderOptions; readonly draft: Draft;
  readonly hasInternal: boolean; readonly hasExternal: boolean;
}

/** Renders all ports of one Service. */
export function renderService(ports: readonly ServicePortInfo[], endpoints: EndpointsByPort, options: RenderOptions): ServiceRules {
  const draft: Draft = { chains: new Map(), natServices: [], natNodePorts: [], filterServices: [], filterExternal: [], filterNodePorts: [], filterFirewall: [], withoutLocal: { internal: 0, external: 0 }, targets: [] };
  for (const port of ports) {
    const selected = selectEndpoints(endpoints.get(portKey(port.portName, port.protocol)) ?? [], port, options);
    const context: PortContext = {
      port, chains: servicePortChains(port.name, port.protocol), endpoints: selected, options, draft,
      hasInternal: selected.any && (!port.internalPolicyLocal || selected.local.length > 0),
      hasExternal: selected.any && (!port.externalPolicyLocal || selected.local.length > 0),
    };
    captureInternal(context);
    captureExternal(context);
    draft.targets.push(flowTarget(port, selected));
    if (port.healthCheckNodePort !== 0) {
      draft.filterNodePorts.push(formatRule({ protocol: "tcp", destinationPort: port.healthCheckNodePort, comment: `${port.name} health check node port`, jump: "ACCEPT" }));
    }
    if (!selected.any) continue;
    externalChain(context);
    firewallChain(context);
    policyChains(context);
  }
  return draft;
}

function flowTarget(port: ServicePortInfo, { reachable }: SelectedEndpoints): FlowTarget {
  const addresses = [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps].map((address) => endOf(address, port.port));
  return { protocol: port.protocol, addresses, nodePort: port.nodePort, endpoints: reachable.map((endpoint) => endOf(endpoint.ip, endpoint.port)) };
}

const host = (address: string): string => (address.includes(":") ? `${address}/128` : `${address}/32`);
const to = (port: ServicePortInfo, address: string): RuleSpec => ({ destination: host(address), protocol: port.protocol, destinationPort: port.port });

/** The rule that answers traffic nothing here serves, and its comment. */
function refusal({ port, endpoints, options }: PortContext): RuleSpec {
  return endpoints.any ? { comment: `${port.name} has no local endpoints`, jump: "DROP" } : { comment: `${port.name} has no endpoints`, jump: reject(options.family) };
}

function captureInternal(context: PortContext): void {
  const { port, chains, draft, hasInternal, endpoints, options } = context;
  if (!hasInternal) {
    if (endpoints.any) draft.withoutLocal.internal++;
    draft.filterServices.push(formatRule({ ...to(port, port.clusterIp), ...refusal(context) }));
    return;
  }
  const chain = port.internalPolicyLocal ? chains.local : chains.cluster, comment = `${port.name} cluster IP`;
  draft.natServices.push(formatRule({ ...to(port, port.clusterIp), comment, jump: chain }));
  // Traffic to the cluster IP from outside the pods may leave through another node: it must come back through this one.
  const outside = options.masqueradeAll ? {} : options.localTraffic?.not;
  if (outside !== undefined) addRule(draft, chain, { ...to(port, port.clusterIp), ...outside, comment, jump: FIXED_CHAINS.markMasquerade });
}

function captureExternal(context: PortContext): void {
  const { port, chains, draft, hasExternal, endpoints } = context;
  if (endpoints.any && !hasExternal && externallyAccessible(port)) draft.withoutLocal.external++;
  for (const address of port.externalIps) {
    if (endpoints.any) draft.natServices.push(formatRule({ ...to(port, address), comment: `${port.name} external IP`, jump: chains.external }));
    if (!hasExternal) draft.filterExternal.push(formatRule({ ...to(port, address), ...refusal(context) }));
  }
  const guarded = usesFirewall(context);
  for (const address of port.loadBalancerIps) {
    if (endpoints.any) draft.natServices.push(formatRule({ ...to(port, address), comment: `${port.name} loadbalancer IP`, jump: guarded ? chains.firewall : chains.external }));
    if (guarded) draft.filterFirewall.push(formatRule({ ...to(port, address), comment: `${port.name} traffic not accepted by ${chains.firewall}`, jump: "DROP" }));
    if (!hasExternal) draft.filterExternal.push(formatRule({ ...to(port, address), ...refusal(context) }));
  }
  if (port.nodePort === 0) return;
  if (endpoints.any) draft.natNodePorts.push(formatRule({ protocol: port.protocol, destinationPort: port.nodePort, comment: port.name, jump: chains.external }));
  if (!hasExternal) draft.filterExternal.push(formatRule({ protocol: port.protocol, destinationPort: port.nodePort, ...refusal(context), matches: [addressType("dst", "LOCAL")] }));
}

const usesFirewall = ({ port, endpoints }: PortContext): boolean => endpoints.any && port.loadBalancerIps.length > 0 && port.loadBalancerSourceRanges.length > 0;

function addRule(draft: Draft, chain: string, spec: RuleSpec): void {
  const rules = draft.chains.get(chain), text = formatRule(spec);
  if (rules === undefined) draft.chains.set(chain, [text]);
  else rules.push(text);
}

/** Masquerades and picks the policy for traffic to external addresses. Made even when only pods of this node may use it. */
function externalChain({ port, chains, options, hasExternal, draft }: PortContext): void {
  if (!externallyAccessible(port)) return;
  const chain = chains.external, destinations = `${port.name} external destinations`;
  if (!port.externalPolicyLocal) {
    addRule(draft, chain, { comment: `masquerade traffic for ${destinations}`, jump: FIXED_CHAINS.markMasquerade });
  } else {
    if (options.localTraffic !== undefined) addRule(draft, chain, { ...options.localTraffic.is, comment: `pod traffic for ${destinations}`, jump: chains.cluster });
    const fromHere = { matches: [addressType("src", "LOCAL")] };
    addRule(draft, chain, { ...fromHere, comment: `masquerade LOCAL traffic for ${destinations}`, jump: FIXED_CHAINS.markMasquerade });
    addRule(draft, chain, { ...fromHere, comment: `route LOCAL traffic for ${destinations}`, jump: chains.cluster });
  }
  if (hasExternal) addRule(draft, chain, { jump: port.externalPolicyLocal ? chains.local : chains.cluster });
}

/** Lets only the source ranges through; what falls off the end was not translated and is dropped by KUBE-PROXY-FIREWALL. */
function firewallChain(context: PortContext): void {
  const { port, chains, options, draft } = context;
  if (!usesFirewall(context)) return;
  const comment = `${port.name} loadbalancer IP`;
  for (const source of port.loadBalancerSourceRanges) addRule(draft, chains.firewall, { source, comment, jump: chains.external });
  // A request from the node to an address it holds itself comes with that address as its source.
  if (port.loadBalancerSourceRanges.some((range) => rangeHolds(range, options.nodeIp))) {
    for (const address of port.loadBalancerIps) addRule(draft, chains.firewall, { source: host(address), comment, jump: chains.external });
  }
  addRule(draft, chains.firewall, { comment: `other traffic to ${port.name} will be dropped by ${FIXED_CHAINS.proxyFirewall}` });
}

function policyChains({ port, chains, endpoints, options, draft }: PortContext): void {
  const names = new Map(endpoints.reachable.map((endpoint) => [endpoint, endpointChain(port.name, port.protocol, endpoint.text)]));
  if (endpoints.cluster.length > 0 && usesClusterEndpoints(port)) balance(draft, chains.cluster, endpoints.cluster, port, options, names);
  if (endpoints.local.length > 0 && usesLocalEndpoints(port)) balance(draft, chains.local, endpoints.local, port, options, names);
  const about = options.omitEndpointComments ? {} : { comment: port.name };
  for (const [endpoint, chain] of names) {
    addRule(draft, chain, { ...about, source: host(endpoint.ip), jump: FIXED_CHAINS.markMasquerade }); // A pod that reaches itself through its Service.
    const matches = port.affinitySeconds === undefined ? {} : { matches: [recentSet(chain, options.family)] };
    addRule(draft, chain, { ...about, ...matches, protocol: port.protocol, protocolMatch: true, jump: dnat(endpoint.text) });
  }
}

/** Affinity first, then each endpoint with an equal chance. */
function balance(draft: Draft, chain: string, endpoints: readonly EndpointInfo[], port: ServicePortInfo, options: RenderOptions, names: ReadonlyMap<EndpointInfo, string>): void {
  const about = (endpoint: EndpointInfo): RuleSpec => (options.omitEndpointComments ? {} : { comment: `${port.name} -> ${endpoint.text}` });
  const target = (endpoint: EndpointInfo): string => names.get(endpoint)!;
  if (port.affinitySeconds !== undefined) {
    for (const endpoint of endpoints) addRule(draft, chain, { ...about(endpoint), matches: [recentCheck(target(endpoint), port.affinitySeconds, options.family)], jump: target(endpoint) });
  }
  for (const [i, endpoint] of endpoints.entries()) {
    const left = endpoints.length - i;
    addRule(draft, chain, { ...about(endpoint), ...(left > 1 ? { matches: [oneIn(left)] } : {}), jump: target(endpoint) });
  }
}
