/** What runs in kube-proxy's process and how its parts are joined. */
import { DNS_NODE_PORT } from "../../lib/api/helpers/cluster-dns.ts";
import type { Node } from "../../lib/api/schema/generated/models.ts";
import { endpointslices, nodes, services } from "../../lib/api/schema/generated/references.ts";
import { formatCidr, formatIp, parseCidr, parseIp } from "../../lib/util/ip.ts";
import type { Client } from "../../lib/client/client.ts";
import { ClusterDns } from "../../lib/dns/cluster-dns.ts";
import { informerView } from "../../lib/dns/cluster-view.ts";
import { ClusterZone } from "../../lib/dns/cluster-zone.ts";
import { DnsMetrics } from "../../lib/dns/dns-metrics.ts";
import { DnsServer } from "../../lib/dns/dns-server.ts";
import { Forwarder } from "../../lib/dns/forwarder.ts";
import { PublishEndpoints } from "../../lib/dns/publish-endpoints.ts";
import { Resolver } from "../../lib/dns/resolver.ts";
import { Iptables } from "../../lib/node-iptables/index.ts";
import type { IpRoute } from "../../lib/network/iproute.ts";
import { addLocalAddress, removeLocalAddress } from "../../lib/network/local-address.ts";
import { internalIpOf } from "../../lib/network/peers.ts";
import type { Backend } from "../../lib/network/plan-routes.ts";
import { PodNetwork } from "../../lib/network/pod-network.ts";
import type { ProxyConfig } from "../../lib/proxy/config.ts";
import { Conntrack } from "../../lib/proxy/conntrack.ts";
import { ProxyHealth, isNodeEligible } from "../../lib/proxy/health-server.ts";
import { JSON_HEADERS, NOT_FOUND, parseListenAddress, serveHttp } from "../../lib/proxy/http-server.ts";
import { applyKernelSettings } from "../../lib/proxy/kernel-settings.ts";
import { localAddresses, nodePortAddresses } from "../../lib/proxy/node-addresses.ts";
import { Proxier } from "../../lib/proxy/proxier.ts";
import { ProxyMetrics } from "../../lib/proxy/proxy-metrics.ts";
import { localTraffic, type RenderOptions } from "../../lib/proxy/render-options.ts";
import { ServiceHealthServers } from "../../lib/proxy/service-health.ts";
import { ServiceHealthWishes } from "../../lib/proxy/service-health-wishes.ts";
import type { Family } from "../../lib/proxy/service-port.ts";
import { informerSource, type ServiceSource } from "../../lib/proxy/service-source.ts";
import { HealthServer } from "../../lib/runtime/health-server.ts";
import type { Informer } from "../../lib/runtime/informer.ts";
import type { RuntimeMetrics } from "../../lib/runtime/metrics.ts";
import type { SharedInformers } from "../../lib/runtime/shared-informers.ts";
import { aborted } from "../../lib/util/abort.ts";
import type { Clock } from "../../lib/util/clock.ts";
import type { Logger } from "../../lib/util/logger.ts";
import { runAll, type Runnable } from "../../lib/util/runnable.ts";
import type { Flags } from "./flags.ts";

export interface Wiring {
  readonly flags: Flags; readonly config: ProxyConfig; readonly log: Logger; readonly clock: Clock; readonly client: Client; readonly informers: SharedInformers;
  readonly metrics: RuntimeMetrics; readonly ip: IpRoute; readonly iptables: Iptables; readonly nodeName: string;
}

const ZONE_LABEL = "topology.kubernetes.io/zone", ADDRESS_CHECK_MS = 10_000;

/** Nodes: all of them for the pod network, else this one alone. */
const nodeInformer = ({ informers, flags, nodeName }: Wiring): Informer<Node> => informers.get(nodes, {
  ...(flags["pod-network"] ? {} : { fieldSelector: `metadata.name=${nodeName}` }),
  transform: (node) => { delete node.status?.images; return node; }, // The bulk of a Node, and nobody here reads it.
});

/** The proxier of each family, health and metrics. */
export function wireProxy(wiring: Wiring): Runnable[] {
  const { config, log, clock, metrics, informers, nodeName } = wiring;
  const source = informerSource(informers.get(services), informers.get(endpointslices)), node = nodeInformer(wiring);
  const proxyMetrics = new ProxyMetrics(metrics.registry), health = new ProxyHealth(clock, config.syncPeriodMs);
  node.onChange(({ object }) => { if (object.metadata.name === nodeName) health.nodeEligible = isNodeEligible(node.get(nodeName)); });
  const proxiers: Runnable = {
    name: "proxiers",
    async run(signal) {
      const kernel = await applyKernelSettings(config.conntrack, config.localhostNodePorts, log);
      await Promise.race([node.synced, aborted(signal)]);
      if (signal.aborted) return;
      const families = await usableFamilies(familiesOf(config, node.get(nodeName)), log);
      await runAll(families.map((family) => proxierOf(wiring, family, { source, node, proxyMetrics, health, conntrackTcpLiberal: kernel.conntrackTcpLiberal })), signal);
    },
  };
  return [...servers(wiring, health, proxyMetrics), serviceHealth(wiring, source, health), proxiers];
}

/** IPv4 always; IPv6 where the cluster or this node has any of it. */
function familiesOf(config: ProxyConfig, node: Node | undefined): Family[] {
  const texts = [...config.clusterCidrs, ...(node?.spec?.podCIDRs ?? []), ...(node?.status?.addresses ?? []).filter((a) => a.type === "InternalIP").map((a) => a.address)];
  return texts.some((text) => text.includes(":")) ? [4, 6] : [4];
}

/** Leaves IPv6 out where this host has no working ip6tables. */
async function usableFamilies(families: readonly Family[], log: Logger): Promise<Family[]> {
  const usable: Family[] = [];
  for (const family of families) {
    try {
      if (family === 6) await new Iptables({ family }).listChain("nat", "POSTROUTING");
      usable.push(family);
    } catch (error) { log.warn({ error: (error as Error).message }, "IPv6 Services are not served: ip6tables does not work on this host"); }
  }
  return usable;
}

interface ProxierParts { source: ServiceSource; node: Informer<Node>; proxyMetrics: ProxyMetrics; health: ProxyHealth; conntrackTcpLiberal: boolean }

function proxierOf(wiring: Wiring, family: Family, { source, node, proxyMetrics, health, conntrackTcpLiberal }: ProxierParts): Runnable {
  const { config, log, clock, nodeName } = wiring, name = `IPv${family}`;
  const iptables = family === 4 ? wiring.iptables : new Iptables({ family });
  const changing = (): Partial<RenderOptions> => nodeOptions(config, family, node.get(nodeName));
  const proxier = new Proxier({
    iptables, conntrack: new Conntrack(family), source, clock, log, metrics: proxyMetrics, localAddresses: () => new Set(localAddresses(family)),
    onQueued: () => health.queued(name), onSynced: () => health.synced(name),
  }, {
    family, nodeName, zone: "", nodeIp: undefined, masqueradeAll: config.masqueradeAll, masqueradeBit: config.masqueradeBit, localTraffic: undefined, localhostNodePorts: config.localhostNodePorts,
    nodePortAddresses: "all", randomFully: true, conntrackTcpLiberal, omitEndpointComments: false, ...changing(),
  }, { syncPeriodMs: config.syncPeriodMs, minSyncPeriodMs: config.minSyncPeriodMs });
  return {
    name: proxier.name,
    async run(signal) {
      const stop = node.onChange(({ object }) => { if (object.metadata.name === nodeName) proxier.setOptions(changing()); });
      // Addresses of this host come and go without anybody telling.
      const watchAddresses: Runnable = { name: "host addresses", async run(inner) { for (;;) { await clock.sleep(ADDRESS_CHECK_MS, inner); proxier.setOptions(changing()); } } };
      try { await runAll([proxier, ...(config.nodePortAddresses.length === 0 ? [] : [watchAddresses])], signal); }
      finally { stop(); }
    },
  };
}

/** What the rules take from the Node object and from this host's addresses. */
function nodeOptions(config: ProxyConfig, family: Family, node: Node | undefined): Pick<RenderOptions, "zone" | "nodeIp" | "localTraffic" | "nodePortAddresses"> {
  const ofFamily = (texts: readonly string[]): string | undefined => texts.find((text) => text.includes(":") === (family === 6));
  const address = ofFamily((node?.status?.addresses ?? []).filter((a) => a.type === "InternalIP").map((a) => a.address)), ip = address === undefined ? undefined : parseIp(address);
  const nodeIp = ip === undefined ? undefined : formatIp(ip);
  const cidr = config.detectLocalMode === "NodeCIDR" ? ofFamily(node?.spec?.podCIDRs ?? []) : ofFamily(config.clusterCidrs), parsed = cidr === undefined ? undefined : parseCidr(cidr);
  const value = config.detectLocalMode === "BridgeInterface" ? config.bridgeInterface : config.detectLocalMode === "InterfaceNamePrefix" ? config.interfaceNamePrefix : parsed === undefined ? undefined : formatCidr(parsed);
  return { zone: node?.metadata.labels?.[ZONE_LABEL] ?? "", nodeIp, localTraffic: localTraffic(config.detectLocalMode, value), nodePortAddresses: nodePortAddresses(config.nodePortAddresses, family, localAddresses(family), nodeIp) };
}

function servers({ config, log, clock, metrics }: Wiring, health: ProxyHealth, proxyMetrics: ProxyMetrics): Runnable[] {
  const found: Runnable[] = [];
  if (config.healthzBindAddress !== "") {
    const address = parseListenAddress(config.healthzBindAddress);
    found.push({
      name: "healthz",
      run: (signal) => serveHttp(address, (path) => {
        if (path !== "/healthz" && path !== "/livez") return NOT_FOUND;
        const report = path === "/healthz" ? health.healthz() : health.livez();
        (path === "/healthz" ? proxyMetrics.healthz : proxyMetrics.livez).inc({ code: String(report.code) });
        return { ...report, headers: JSON_HEADERS };
      }, signal),
    });
  }
  if (config.metricsBindAddress !== "") {
    const { host, port } = parseListenAddress(config.metricsBindAddress), text = (body: string) => () => ({ status: 200, contentType: "text/plain; charset=utf-8", body });
    found.push(new HealthServer({ clock, log }, { address: host, port, registry: metrics.registry, routes: { "/proxyMode": text("iptables") } }));
  }
  return found;
}

/** Health check node ports follow Services at once. */
function serviceHealth({ log, clock, nodeName }: Wiring, source: ServiceSource, health: ProxyHealth): Runnable {
  const wishes = new ServiceHealthWishes(source, nodeName), servers = new ServiceHealthServers(log, { proxyHealthy: () => health.healthy });
  return {
    name: "service health",
    async run(signal) {
      let due = false;
      const stop = source.onChange((key) => { due = wishes.update(key) || due; });
      try {
        for (;;) {
          await clock.sleep(SERVICE_HEALTH_MS, signal);
          if (!due) continue;
          due = false;
          await servers.sync(wishes.all());
        }
      } finally {
        stop();
        await servers.close();
      }
    },
  };
}

const SERVICE_HEALTH_MS = 100;

export function wireNetwork(wiring: Wiring): Runnable[] {
  const { flags, config, log, clock, ip, iptables, nodeName } = wiring, cidr = config.clusterCidrs.map(parseCidr).find((c) => c?.ip.family === 4);
  return [new PodNetwork({ nodes: nodeInformer(wiring), ip, iptables, clock, log: log.child({ part: "network" }) }, { nodeName, backend: flags["pod-network-backend"] as Backend, clusterCidr: cidr === undefined ? undefined : formatCidr(cidr), cniDir: flags["pod-network-config-dir"] })];
}

/** `farewell` goes before the end: other nodes and our own rules then answer in our place. */
export function wireDns(wiring: Wiring, address: string): { runnables: Runnable[]; farewell: () => Promise<void> } {
  const { flags, clock, client, informers, metrics, ip, nodeName } = wiring, iptables = address.includes(":") ? new Iptables({ family: 6 }) : wiring.iptables, log = wiring.log.child({ part: "dns" }), node = nodeInformer(wiring);
  const forwarder = new Forwarder(clock);
  const zone = new ClusterZone(informerView(informers.get(services), informers.get(endpointslices)), { domain: flags["cluster-domain"], address });
  const resolver = new Resolver({ zone, forwarder, clock, onAnswer: new DnsMetrics(metrics.registry).onAnswer, onError: (error) => log.warn({ error }, "cannot answer a question") });
  const dns = new ClusterDns({ resolver, forwarder, iptables, clock, log, addAddress: (a) => addLocalAddress(ip, a), removeAddress: (a) => removeLocalAddress(ip, a) }, { address, resolvConf: flags["dns-resolv-conf"] });
  const self = (): { node: Node; address: string } | undefined => {
    const own = node.get(nodeName), its = own === undefined ? undefined : internalIpOf(own);
    return own === undefined || its === undefined ? undefined : { node: own, address: its };
  };
  let markAnswering!: () => void;
  const answering = new Promise<void>((resolve) => { markAnswering = resolve; });
  const forOthers: Runnable = {
    name: "dns for other nodes",
    async run(signal) {
      for (;;) {
        const own = self();
        if (own === undefined) { await clock.sleep(500, signal); continue; }
        const server = new DnsServer(resolver, [{ address: own.address, port: DNS_NODE_PORT }]);
        void server.listening.then(markAnswering);
        try { return await server.run(signal); }
        catch (error) { log.warn({ error }, "cannot answer other nodes' questions, will retry"); }
        await clock.sleep(5_000, signal);
      }
    },
  };
  const publish = new PublishEndpoints({ client, clock, log, self, answering }, address);
  return { runnables: [dns, forOthers, publish], farewell: () => publish.farewell() };
}
