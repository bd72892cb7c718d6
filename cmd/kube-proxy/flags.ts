/** Flags of kube-proxy: upstream's names and defaults; what is ours alone is marked so. */
import { CONFIG_DEFAULTS as D, checkConfig, localMode, splitList, withDefaultPort, type ProxyConfig } from "../../lib/proxy/config.ts";
import { CONNECTION_FLAGS } from "../../lib/runtime/component.ts";
import { DAEMON_FLAGS, parseDaemonFlags } from "../../lib/util/daemon.ts";
import { FlagError, type FlagValues } from "../../lib/util/flags.ts";

export const FLAGS = {
  config: { type: "string", help: "a file with a KubeProxyConfiguration, which counts instead of the flags it covers, flags by their names, or both as two documents" },
  ...CONNECTION_FLAGS,
  "hostname-override": { type: "string", help: "name of this node; the host's name when absent" },
  "bind-address": { type: "string", default: "0.0.0.0", help: "chooses nothing in iptables mode; accepted as upstream does" },
  "proxy-mode": { type: "string", default: "iptables", help: "only iptables" },
  "cluster-cidr": { type: "string", help: "addresses of pods; traffic to Services from elsewhere is masqueraded" },
  "detect-local-mode": { type: "string", default: D.detectLocalMode, help: "how pods' traffic is told: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix" },
  "pod-bridge-interface": { type: "string", help: "bridge of the pods, for BridgeInterface" },
  "pod-interface-name-prefix": { type: "string", help: "how names of pods' links begin, for InterfaceNamePrefix" },
  "nodeport-addresses": { type: "list", help: "ranges of this host's addresses on which node ports answer, or the word primary" },
  "healthz-bind-address": { type: "string", default: D.healthzBindAddress, help: "address of the health server; empty serves none" },
  "healthz-port": { type: "int", help: "port of the health server, when the address names none" },
  "metrics-bind-address": { type: "string", default: D.metricsBindAddress, help: "address of the metrics server; empty serves none" },
  "metrics-port": { type: "int", help: "port of the metrics server, when the address names none" },
  "iptables-sync-period": { type: "duration", default: "30s", help: "how often rules are looked after" },
  "iptables-min-sync-period": { type: "duration", default: "0s", help: "least time between two syncs; 0: as fast as the kernel takes them (upstream: 1s)" },
  "iptables-masquerade-bit": { type: "int", default: D.masqueradeBit, help: "bit of the packet mark that says masquerade" },
  "iptables-localhost-nodeports": { type: "bool", default: true, help: "node ports answer on 127.0.0.1 too" },
  "masquerade-all": { type: "bool", help: "masquerade everything that goes to cluster IPs" },
  cleanup: { type: "bool", help: "remove every rule, chain, route, address and link that was ever made, and exit" },
  "conntrack-max-per-core": { type: "int", default: D.conntrack.maxPerCore, help: "tracked connections for each core; 0 leaves the limit alone" },
  "conntrack-min": { type: "int", default: D.conntrack.min, help: "least tracked connections, whatever the cores" },
  "conntrack-tcp-timeout-established": { type: "duration", default: "24h", help: "0 leaves it alone" },
  "conntrack-tcp-timeout-close-wait": { type: "duration", default: "1h", help: "0 leaves it alone" },
  "conntrack-tcp-be-liberal": { type: "bool", help: "let TCP packets outside the window through" },
  "conntrack-udp-timeout": { type: "duration", default: "0s", help: "0 leaves it alone" },
  "conntrack-udp-timeout-stream": { type: "duration", default: "0s", help: "0 leaves it alone" },
  "oom-score-adj": { type: "int", help: "OOM score adjustment of this process" },
  "config-sync-period": { type: "duration", default: "15m", help: "not needed: informers never miss a change" },
  "feature-gates": { type: "string", help: "not read by this release" },
  profiling: { type: "bool", help: "not offered by this release" },
  "pod-network": { type: "bool", help: "also set up the pod network of this node (ours alone)" },
  "pod-network-backend": { type: "string", default: "auto", help: "routes, vxlan, or auto: routes to nodes of the same subnet, VXLAN to others (ours alone)" },
  "pod-network-config-dir": { type: "string", default: "/etc/cni/net.d", help: "where the container runtime reads network configurations (ours alone)" },
  "cluster-dns": { type: "string", help: "also answer DNS on this address, on this node (ours alone)" },
  "cluster-domain": { type: "string", default: "cluster.local", help: "domain of the cluster's names (ours alone)" },
  "dns-resolv-conf": { type: "string", default: "/etc/resolv.conf", help: "where the resolvers for other names are listed (ours alone)" },
  "rotate-certificates": { type: "bool", help: "renew the kubeconfig's client certificate before it ends (ours alone)" },
  ...DAEMON_FLAGS,
} as const;
export type Flags = FlagValues<typeof FLAGS>;

/** Throws FlagError. */
export function parse(argv: readonly string[]): Flags {
  const flags = parseDaemonFlags("kube-proxy", argv, FLAGS);
  if (!["routes", "vxlan", "auto"].includes(flags["pod-network-backend"])) throw new FlagError(`invalid --pod-network-backend ${JSON.stringify(flags["pod-network-backend"])}: must be routes, vxlan or auto`);
  return flags;
}

/** The configuration the flags make. Throws ConfigError. */
export function configFromFlags(flags: Flags): ProxyConfig {
  return checkConfig({
    kubeconfig: flags.kubeconfig, hostnameOverride: flags["hostname-override"], mode: flags["proxy-mode"], clusterCidrs: splitList(flags["cluster-cidr"] ?? ""),
    detectLocalMode: localMode(flags["detect-local-mode"]), bridgeInterface: flags["pod-bridge-interface"], interfaceNamePrefix: flags["pod-interface-name-prefix"],
    nodePortAddresses: flags["nodeport-addresses"], healthzBindAddress: withDefaultPort(flags["healthz-bind-address"], flags["healthz-port"] ?? 10_256),
    metricsBindAddress: withDefaultPort(flags["metrics-bind-address"], flags["metrics-port"] ?? 10_249), masqueradeAll: flags["masquerade-all"], masqueradeBit: flags["iptables-masquerade-bit"],
    localhostNodePorts: flags["iptables-localhost-nodeports"], syncPeriodMs: flags["iptables-sync-period"], minSyncPeriodMs: flags["iptables-min-sync-period"], oomScoreAdj: flags["oom-score-adj"],
    conntrack: {
      maxPerCore: flags["conntrack-max-per-core"], min: flags["conntrack-min"], tcpEstablishedTimeoutMs: flags["conntrack-tcp-timeout-established"], tcpCloseWaitTimeoutMs: flags["conntrack-tcp-timeout-close-wait"],
      tcpBeLiberal: flags["conntrack-tcp-be-liberal"], udpTimeoutMs: flags["conntrack-udp-timeout"], udpStreamTimeoutMs: flags["conntrack-udp-timeout-stream"],
    },
  });
}

/** Flags that were given and do nothing here. */
export function unusedFlags(argv: readonly string[]): string[] {
  return ["feature-gates", "profiling", "config-sync-period"].filter((name) => argv.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)));
}
