/**
 * The proxy's configuration: from flags, or from a KubeProxyConfiguration, which then counts instead of the flags.
 * Fields of other modes are warned about by name; a mode that is not iptables, and a field nobody knows, is refused.
 * Counterpart: kube-proxy `apis/config/v1alpha1`.
 */
import { parseCidr, parseIp } from "../util/ip.ts";
import { ConfigError, type ConfigDocument } from "../util/config-file.ts";
import type { ConfigKind } from "../util/config-flags.ts";
import { MASQUERADE_BIT_DEFAULT, type DetectLocalMode } from "./render-options.ts";

export interface ConntrackSettings {
  readonly maxPerCore: number; readonly min: number;
  readonly tcpEstablishedTimeoutMs: number; readonly tcpCloseWaitTimeoutMs: number; readonly tcpBeLiberal: boolean;
  readonly udpTimeoutMs: number; readonly udpStreamTimeoutMs: number;
}
export interface ProxyConfig {
  readonly kubeconfig: string | undefined;
  readonly hostnameOverride: string | undefined;
  readonly mode: string;
  readonly clusterCidrs: readonly string[];
  readonly detectLocalMode: DetectLocalMode;
  readonly bridgeInterface: string | undefined;
  readonly interfaceNamePrefix: string | undefined;
  readonly nodePortAddresses: readonly string[];
  /** "" serves none. */
  readonly healthzBindAddress: string;
  readonly metricsBindAddress: string;
  readonly masqueradeAll: boolean;
  readonly masqueradeBit: number;
  readonly localhostNodePorts: boolean;
  readonly syncPeriodMs: number;
  readonly minSyncPeriodMs: number;
  readonly oomScoreAdj: number | undefined;
  readonly conntrack: ConntrackSettings;
}

export const PROXY_CONFIGURATION: ConfigKind = { apiVersion: "kubeproxy.config.k8s.io/v1alpha1", kind: "KubeProxyConfiguration" };

export const CONFIG_DEFAULTS: ProxyConfig = {
  kubeconfig: undefined, hostnameOverride: undefined, mode: "iptables", clusterCidrs: [], detectLocalMode: "ClusterCIDR", bridgeInterface: undefined, interfaceNamePrefix: undefined,
  nodePortAddresses: [], healthzBindAddress: "0.0.0.0:10256", metricsBindAddress: "127.0.0.1:10249", masqueradeAll: false, masqueradeBit: MASQUERADE_BIT_DEFAULT,
  localhostNodePorts: true, syncPeriodMs: 30_000, minSyncPeriodMs: 0, oomScoreAdj: undefined,
  conntrack: { maxPerCore: 32_768, min: 131_072, tcpEstablishedTimeoutMs: 86_400_000, tcpCloseWaitTimeoutMs: 3_600_000, tcpBeLiberal: false, udpTimeoutMs: 0, udpStreamTimeoutMs: 0 },
};

const LOCAL_MODES: readonly DetectLocalMode[] = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"];
/** Fields of upstream's type that mean nothing here; giving one is told. */
const WARNED = ["featureGates", "bindAddressHardFail", "enableProfiling", "configSyncPeriod", "showHiddenMetricsForVersion", "portRange", "windowsRunAsService", "ipvs", "nftables", "winkernel", "logging", "udpIdleTimeout", "resourceContainer"];
const CLIENT_WARNED = ["acceptContentTypes", "contentType", "qps", "burst"];

/** Reads a document. Throws ConfigError. `unused` are fields that were given and do nothing here. */
export function readProxyConfiguration(document: ConfigDocument): { config: ProxyConfig; unused: string[] } {
  const top = document.section(), d = CONFIG_DEFAULTS;
  for (const field of ["kind", "apiVersion"] as const) if (top.get(field, "string") !== PROXY_CONFIGURATION[field]) throw top.fail(field, PROXY_CONFIGURATION[field]);
  const client = top.section("clientConnection"), tables = top.section("iptables"), conntrack = top.section("conntrack"), local = top.section("detectLocal");
  // As upstream's type has it, an empty text is an absent one.
  const text = <F>(section: typeof top, name: string, fallback: F): string | F => section.get(name, "string") || fallback;
  const config: ProxyConfig = {
    kubeconfig: text(client, "kubeconfig", d.kubeconfig), hostnameOverride: text(top, "hostnameOverride", d.hostnameOverride), mode: text(top, "mode", d.mode),
    clusterCidrs: splitList(top.get("clusterCIDR", "string", "")), detectLocalMode: text(top, "detectLocalMode", undefined) === undefined ? d.detectLocalMode : top.choice("detectLocalMode", LOCAL_MODES, d.detectLocalMode),
    bridgeInterface: text(local, "bridgeInterface", undefined), interfaceNamePrefix: text(local, "interfaceNamePrefix", undefined),
    nodePortAddresses: top.get("nodePortAddresses", "strings", []), healthzBindAddress: text(top, "healthzBindAddress", d.healthzBindAddress), metricsBindAddress: text(top, "metricsBindAddress", d.metricsBindAddress),
    masqueradeAll: tables.get("masqueradeAll", "boolean", false), masqueradeBit: tables.get("masqueradeBit", "integer", d.masqueradeBit), localhostNodePorts: tables.get("localhostNodePorts", "boolean", true),
    syncPeriodMs: tables.durationMs("syncPeriod", d.syncPeriodMs) || d.syncPeriodMs, minSyncPeriodMs: tables.durationMs("minSyncPeriod", d.minSyncPeriodMs), oomScoreAdj: top.get("oomScoreAdj", "integer"),
    conntrack: {
      maxPerCore: conntrack.get("maxPerCore", "integer", d.conntrack.maxPerCore), min: conntrack.get("min", "integer", d.conntrack.min),
      tcpEstablishedTimeoutMs: conntrack.durationMs("tcpEstablishedTimeout", d.conntrack.tcpEstablishedTimeoutMs), tcpCloseWaitTimeoutMs: conntrack.durationMs("tcpCloseWaitTimeout", d.conntrack.tcpCloseWaitTimeoutMs),
      tcpBeLiberal: conntrack.get("tcpBeLiberal", "boolean", false), udpTimeoutMs: conntrack.durationMs("udpTimeout", 0), udpStreamTimeoutMs: conntrack.durationMs("udpStreamTimeout", 0),
    },
  };
  top.get("bindAddress", "string", "");
  const unused = [...client.finish(CLIENT_WARNED), ...top.finish(WARNED)], problem = problemOf(config);
  if (problem !== undefined) throw document.error(problem.path, problem.message);
  return { config, unused };
}

export const splitList = (text: string): string[] => text.split(",").map((part) => part.trim()).filter((part) => part !== "");

export function localMode(text: string): DetectLocalMode {
  const mode = LOCAL_MODES.find((known) => known === text);
  if (mode === undefined) throw new ConfigError(`Cannot use --detect-local-mode=${text}: expected one of ${LOCAL_MODES.join(", ")}`);
  return mode;
}

interface Problem { readonly flag: string; readonly path: readonly string[]; readonly message: string }

/** What cannot work, if anything: the flag, the field of the file, and why. */
function problemOf(config: ProxyConfig): Problem | undefined {
  const problem = (flag: string, path: string, message: string): Problem => ({ flag, path: path.split("."), message });
  if (config.mode !== "iptables") return problem("proxy-mode", "mode", `mode ${JSON.stringify(config.mode)} is not supported: this kube-proxy knows only iptables`);
  for (const cidr of config.clusterCidrs) if (parseCidr(cidr) === undefined) return problem("cluster-cidr", "clusterCIDR", `expected a CIDR such as 10.244.0.0/16, found ${JSON.stringify(cidr)}`);
  for (const range of config.nodePortAddresses) if (range !== "primary" && parseCidr(range) === undefined) return problem("nodeport-addresses", "nodePortAddresses", `expected a CIDR or the word primary, found ${JSON.stringify(range)}`);
  if (!(config.masqueradeBit >= 0 && config.masqueradeBit <= 31)) return problem("iptables-masquerade-bit", "iptables.masqueradeBit", `expected 0 to 31, found ${config.masqueradeBit}`);
  if (!(config.syncPeriodMs > 0)) return problem("iptables-sync-period", "iptables.syncPeriod", "expected more than 0");
  if (config.minSyncPeriodMs > config.syncPeriodMs) return problem("iptables-min-sync-period", "iptables.minSyncPeriod", "it is longer than the sync period");
  if (config.detectLocalMode === "BridgeInterface" && config.bridgeInterface === undefined) return problem("detect-local-mode", "detectLocalMode", "BridgeInterface needs the name of the bridge (--pod-bridge-interface, detectLocal.bridgeInterface)");
  if (config.detectLocalMode === "InterfaceNamePrefix" && config.interfaceNamePrefix === undefined) return problem("detect-local-mode", "detectLocalMode", "InterfaceNamePrefix needs a prefix (--pod-interface-name-prefix, detectLocal.interfaceNamePrefix)");
  return undefined;
}

/** Refuses flags that cannot work. Throws ConfigError. */
export function checkConfig(config: ProxyConfig): ProxyConfig {
  const problem = problemOf(config.mode === "" ? { ...config, mode: "iptables" } : config);
  if (problem !== undefined) throw new ConfigError(`Cannot use --${problem.flag}: ${problem.message}`);
  return config;
}

/** `host:port` of a bind flag that may be an address alone, as upstream accepts. */
export const withDefaultPort = (text: string, port: number): string => (text === "" ? "" : parseIp(text) === undefined ? text : text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`);
