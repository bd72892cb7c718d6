/**
 * The proxy's configuration: from flags, or from a KubeProxyConfiguration file, which then counts instead of the flags.
 * Fields of other modes are warned about by name; a mode that is not iptables, and a field nobody knows, is refused.
 * Counterpart: kube-proxy `apis/config/v1alpha1`.
 */
import { parseCidr, parseIp } from "../util/ip.ts";
import { parseDurationMs } from "../util/flags.ts";
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

export class ConfigError extends Error { override readonly name = "ConfigError"; }

export const CONFIG_DEFAULTS: ProxyConfig = {
  kubeconfig: undefined, hostnameOverride: undefined, mode: "iptables", clusterCidrs: [], detectLocalMode: "ClusterCIDR", bridgeInterface: undefined, interfaceNamePrefix: undefined,
  nodePortAddresses: [], healthzBindAddress: "0.0.0.0:10256", metricsBindAddress: "127.0.0.1:10249", masqueradeAll: false, masqueradeBit: MASQUERADE_BIT_DEFAULT,
  localhostNodePorts: true, syncPeriodMs: 30_000, minSyncPeriodMs: 0, oomScoreAdj: undefined,
  conntrack: { maxPerCore: 32_768, min: 131_072, tcpEstablishedTimeoutMs: 86_400_000, tcpCloseWaitTimeoutMs: 3_600_000, tcpBeLiberal: false, udpTimeoutMs: 0, udpStreamTimeoutMs: 0 },
};

const LOCAL_MODES: readonly DetectLocalMode[] = ["ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"];
type Section = Record<string, unknown>;
/** Fields of upstream's type that mean nothing here; giving one is told. */
const WARNED = ["featureGates", "bindAddressHardFail", "enableProfiling", "configSyncPeriod", "showHiddenMetricsForVersion", "portRange", "windowsRunAsService", "ipvs", "nftables", "winkernel", "logging", "udpIdleTimeout", "resourceContainer"];
const CLIENT_WARNED = ["acceptContentTypes", "contentType", "qps", "burst"];

/** Reads one section strictly: every field is taken, or named in the error. */
class Reader {
  readonly #section: Section;
  readonly #path: string;
  readonly #seen = new Set<string>();
  constructor(section: unknown, path: string) {
    if (section !== undefined && section !== null && (typeof section !== "object" || Array.isArray(section))) throw new ConfigError(`Cannot read the configuration: ${path} must be an object`);
    this.#section = (section ?? {}) as Section;
    this.#path = path;
  }
  get<T>(name: string, kind: "string" | "number" | "boolean" | "object", fallback: T): T {
    this.#seen.add(name);
    const value = this.#section[name];
    if (value === undefined || value === null || (kind === "string" && value === "")) return fallback;
    if (kind === "object" ? typeof value !== "object" : typeof value !== kind) throw new ConfigError(`Cannot read the configuration: ${this.#path}${name} must be of type ${kind}, got ${JSON.stringify(value)}`);
    return value as T;
  }
  duration(name: string, fallback: number): number {
    const text = this.get<string | undefined>(name, "string", undefined);
    try { return text === undefined ? fallback : parseDurationMs(text); }
    catch (error) { throw new ConfigError(`Cannot read the configuration: ${this.#path}${name}: ${(error as Error).message}`); }
  }
  /** Fields given that are known but unused. Throws on unknown ones. */
  rest(known: readonly string[]): string[] {
    const given = Object.keys(this.#section).filter((name) => !this.#seen.has(name));
    for (const name of given) if (!known.includes(name)) throw new ConfigError(`Cannot read the configuration: unknown field "${this.#path}${name}"`);
    return given.filter((name) => { const value = this.#section[name]; return value !== null && value !== "" && value !== 0 && value !== "0s" && value !== false && JSON.stringify(value) !== "{}"; }).map((name) => `${this.#path}${name}`);
  }
}

/** Reads a parsed file. Throws ConfigError. `unused` are fields that were given and do nothing here. */
export function readConfigFile(file: unknown): { config: ProxyConfig; unused: string[] } {
  const top = new Reader(file, ""), d = CONFIG_DEFAULTS;
  const apiVersion = top.get<string>("apiVersion", "string", ""), kind = top.get<string>("kind", "string", "");
  if (apiVersion !== "kubeproxy.config.k8s.io/v1alpha1" || kind !== "KubeProxyConfiguration") {
    throw new ConfigError(`Cannot read the configuration: expected apiVersion kubeproxy.config.k8s.io/v1alpha1 and kind KubeProxyConfiguration, got ${JSON.stringify(apiVersion)} and ${JSON.stringify(kind)}`);
  }
  const client = new Reader(top.get("clientConnection", "object", {}), "clientConnection."), tables = new Reader(top.get("iptables", "object", {}), "iptables.");
  const conntrack = new Reader(top.get("conntrack", "object", {}), "conntrack."), local = new Reader(top.get("detectLocal", "object", {}), "detectLocal.");
  const config: ProxyConfig = {
    kubeconfig: client.get("kubeconfig", "string", d.kubeconfig), hostnameOverride: top.get("hostnameOverride", "string", d.hostnameOverride), mode: top.get("mode", "string", d.mode),
    clusterCidrs: splitList(top.get("clusterCIDR", "string", "")), detectLocalMode: localMode(top.get("detectLocalMode", "string", d.detectLocalMode)),
    bridgeInterface: local.get("bridgeInterface", "string", undefined), interfaceNamePrefix: local.get("interfaceNamePrefix", "string", undefined),
    nodePortAddresses: top.get("nodePortAddresses", "object", []), healthzBindAddress: top.get("healthzBindAddress", "string", d.healthzBindAddress), metricsBindAddress: top.get("metricsBindAddress", "string", d.metricsBindAddress),
    masqueradeAll: tables.get("masqueradeAll", "boolean", false), masqueradeBit: tables.get("masqueradeBit", "number", d.masqueradeBit), localhostNodePorts: tables.get("localhostNodePorts", "boolean", true),
    syncPeriodMs: tables.duration("syncPeriod", d.syncPeriodMs) || d.syncPeriodMs, minSyncPeriodMs: tables.duration("minSyncPeriod", d.minSyncPeriodMs), oomScoreAdj: top.get("oomScoreAdj", "number", undefined),
    conntrack: {
      maxPerCore: conntrack.get("maxPerCore", "number", d.conntrack.maxPerCore), min: conntrack.get("min", "number", d.conntrack.min),
      tcpEstablishedTimeoutMs: conntrack.duration("tcpEstablishedTimeout", d.conntrack.tcpEstablishedTimeoutMs), tcpCloseWaitTimeoutMs: conntrack.duration("tcpCloseWaitTimeout", d.conntrack.tcpCloseWaitTimeoutMs),
      tcpBeLiberal: conntrack.get("tcpBeLiberal", "boolean", false), udpTimeoutMs: conntrack.duration("udpTimeout", 0), udpStreamTimeoutMs: conntrack.duration("udpStreamTimeout", 0),
    },
  };
  top.get("bindAddress", "string", "");
  const unused = [...top.rest(WARNED), ...client.rest(CLIENT_WARNED), ...tables.rest([]), ...conntrack.rest([]), ...local.rest([])];
  return { config: checkConfig(config), unused };
}

export const splitList = (text: string): string[] => text.split(",").map((part) => part.trim()).filter((part) => part !== "");

export function localMode(text: string): DetectLocalMode {
  const mode = LOCAL_MODES.find((known) => known === text);
  if (mode === undefined) throw new ConfigError(`Cannot use --detect-local-mode=${text}: expected one of ${LOCAL_MODES.join(", ")}`);
  return mode;
}

/** Refuses what cannot work. Throws ConfigError. */
export function checkConfig(config: ProxyConfig): ProxyConfig {
  if (config.mode !== "iptables" && config.mode !== "") throw new ConfigError(`Cannot use --proxy-mode=${config.mode}: this kube-proxy knows only iptables`);
  for (const cidr of config.clusterCidrs) if (parseCidr(cidr) === undefined) throw new ConfigError(`Cannot use --cluster-cidr=${cidr}: expected a CIDR such as 10.244.0.0/16`);
  for (const range of config.nodePortAddresses) if (range !== "primary" && parseCidr(range) === undefined) throw new ConfigError(`Cannot use --nodeport-addresses=${range}: expected a CIDR or the word primary`);
  if (!(config.masqueradeBit >= 0 && config.masqueradeBit <= 31)) throw new ConfigError(`Cannot use --iptables-masquerade-bit=${config.masqueradeBit}: expected 0 to 31`);
  if (!(config.syncPeriodMs > 0)) throw new ConfigError("Cannot use --iptables-sync-period: expected more than 0");
  if (config.minSyncPeriodMs > config.syncPeriodMs) throw new ConfigError("Cannot use --iptables-min-sync-period: it is longer than --iptables-sync-period");
  if (config.detectLocalMode === "BridgeInterface" && config.bridgeInterface === undefined) throw new ConfigError("Cannot use --detect-local-mode=BridgeInterface: --pod-bridge-interface is missing");
  if (config.detectLocalMode === "InterfaceNamePrefix" && config.interfaceNamePrefix === undefined) throw new ConfigError("Cannot use --detect-local-mode=InterfaceNamePrefix: --pod-interface-name-prefix is missing");
  return config;
}

/** `host:port` of a bind flag that may be an address alone, as upstream accepts. */
export const withDefaultPort = (text: string, port: number): string => (text === "" ? "" : parseIp(text) === undefined ? text : text.includes(":") ? `[${text}]:${port}` : `${text}:${port}`);
