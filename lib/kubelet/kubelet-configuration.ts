/**
 * KubeletConfiguration (kubelet.config.k8s.io/v1beta1): read from a document of a YAML file, with upstream's defaults except where DIFFERENCES.md says otherwise.
 * A field this release does not act on is named in `warnings`, one that no KubeletConfiguration has is refused.
 */
import { type ConfigDocument, ConfigSection } from "../util/config-file.ts";
import type { ConfigKind } from "../util/config-flags.ts";

export const KUBELET_CONFIGURATION: ConfigKind = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };

export interface KubeletConfiguration {
  address: string; port: number; healthzBindAddress: string; healthzPort: number;
  tlsCertFile: string; tlsPrivateKeyFile: string; clientCAFile: string; anonymousAuth: boolean; authorizationMode: "Webhook" | "AlwaysAllow";
  clusterDNS: string[]; clusterDomain: string; resolvConf: string; cgroupDriver: "cgroupfs" | "systemd"; cgroupRoot: string; maxPods: number;
  staticPodPath: string; failSwapOn: boolean; nodeLeaseDurationSeconds: number; nodeStatusUpdateFrequencyMs: number; nodeStatusReportFrequencyMs: number;
  containerRuntimeEndpoint: string; containerLogMaxSize: string; containerLogMaxFiles: number; imageGCHighThresholdPercent: number; imageGCLowThresholdPercent: number; imageMinimumGCAgeMs: number;
  evictionHard: Record<string, string>; systemReserved: Record<string, string>; kubeReserved: Record<string, string>; allowedUnsafeSysctls: string[];
  registerWithTaints: { key: string; value?: string; effect: string }[]; registerNode: boolean; podLogsDir: string;
  rotateCertificates: boolean; serverTLSBootstrap: boolean;
}

export const CONFIGURATION_DEFAULTS: KubeletConfiguration = {
  address: "0.0.0.0", port: 10_250, healthzBindAddress: "127.0.0.1", healthzPort: 10_248, tlsCertFile: "", tlsPrivateKeyFile: "", clientCAFile: "", anonymousAuth: false, authorizationMode: "Webhook",
  clusterDNS: [], clusterDomain: "", resolvConf: "/etc/resolv.conf", cgroupDriver: "cgroupfs", cgroupRoot: "/", maxPods: 110, staticPodPath: "", failSwapOn: true,
  nodeLeaseDurationSeconds: 12, nodeStatusUpdateFrequencyMs: 10_000, nodeStatusReportFrequencyMs: 300_000, containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  containerLogMaxSize: "10Mi", containerLogMaxFiles: 5, imageGCHighThresholdPercent: 85, imageGCLowThresholdPercent: 80, imageMinimumGCAgeMs: 120_000,
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%", "imagefs.available": "15%" },
  systemReserved: {}, kubeReserved: {}, allowedUnsafeSysctls: [], registerWithTaints: [], registerNode: true, podLogsDir: "/var/log/pods",
  rotateCertificates: false, serverTLSBootstrap: false,
};

/** Fields upstream knows and this release does not act on. */
export const NOT_USED: ReadonlySet<string> = new Set([
  "enableServer", "syncFrequency", "fileCheckFrequency", "httpCheckFrequency", "staticPodURL", "staticPodURLHeader", "readOnlyPort", "tlsCipherSuites", "tlsMinVersion",
  "registryPullQPS", "registryBurst", "imagePullCredentialsVerificationPolicy", "preloadedImagesVerificationAllowlist", "eventRecordQPS", "eventBurst", "enableDebuggingHandlers", "enableContentionProfiling", "oomScoreAdj",
  "streamingConnectionIdleTimeout", "imageMaximumGCAge", "volumeStatsAggPeriod", "kubeletCgroups", "systemCgroups", "cgroupsPerQOS", "cpuManagerPolicy", "singleProcessOOMKill", "cpuManagerPolicyOptions",
  "cpuManagerReconcilePeriod", "memoryManagerPolicy", "topologyManagerPolicy", "topologyManagerScope", "topologyManagerPolicyOptions", "qosReserved", "runtimeRequestTimeout", "hairpinMode", "podCIDR", "podPidsLimit",
  "runOnce", "cpuCFSQuota", "cpuCFSQuotaPeriod", "nodeStatusMaxImages", "maxOpenFiles", "contentType", "kubeAPIQPS", "kubeAPIBurst", "serializeImagePulls", "maxParallelImagePulls", "evictionSoft", "evictionSoftGracePeriod",
  "evictionPressureTransitionPeriod", "evictionMaxPodGracePeriod", "evictionMinimumReclaim", "mergeDefaultEvictionSettings", "podsPerCore", "enableControllerAttachDetach", "protectKernelDefaults", "makeIPTablesUtilChains",
  "iptablesMasqueradeBit", "iptablesDropBit", "featureGates", "memorySwap", "containerLogMaxWorkers", "containerLogMonitorInterval", "configMapAndSecretChangeDetectionStrategy", "systemReservedCgroup", "kubeReservedCgroup",
  "enforceNodeAllocatable", "volumePluginDir", "providerID", "kernelMemcgNotification", "logging", "enableSystemLogHandler", "enableSystemLogQuery", "shutdownGracePeriod", "shutdownGracePeriodCriticalPods",
  "shutdownGracePeriodByPodPriority", "crashLoopBackOff", "reservedMemory", "enableProfilingHandler", "enableDebugFlagsHandler", "seccompDefault", "memoryThrottlingFactor", "tracing", "localStorageCapacityIsolation",
  "imageServiceEndpoint", "userNamespaces", "reservedSystemCPUs", "showHiddenMetricsForVersion",
]);
const DURATIONS = { nodeStatusUpdateFrequency: "nodeStatusUpdateFrequencyMs", nodeStatusReportFrequency: "nodeStatusReportFrequencyMs", imageMinimumGCAge: "imageMinimumGCAgeMs" } as const;
const NESTED = new Set<keyof KubeletConfiguration>(["clientCAFile", "anonymousAuth", "authorizationMode", ...Object.values(DURATIONS)]);
type Read = Partial<Record<keyof KubeletConfiguration, unknown>>;

/** A field whose type is that of its default. */
function plainField(section: ConfigSection, name: keyof KubeletConfiguration): unknown {
  const wanted = CONFIGURATION_DEFAULTS[name];
  if (name === "cgroupDriver") return section.get(name, "string") === undefined ? undefined : section.choice(name, ["cgroupfs", "systemd"], "cgroupfs");
  if (Array.isArray(wanted)) return section.get(name, name === "registerWithTaints" ? "list" : "strings");
  if (typeof wanted === "object") return section.get(name, "texts");
  return section.get(name, typeof wanted === "boolean" ? "boolean" : typeof wanted === "number" ? "integer" : "string");
}

/** Reads a document. Throws ConfigError, which names line and field, on what is no KubeletConfiguration. */
export function readKubeletConfiguration(document: ConfigDocument): { configuration: Partial<KubeletConfiguration>; warnings: string[] } {
  const top = document.section(), read: Read = {};
  for (const field of ["kind", "apiVersion"] as const) if (top.get(field, "string") !== KUBELET_CONFIGURATION[field]) throw top.fail(field, KUBELET_CONFIGURATION[field]);
  for (const name of Object.keys(CONFIGURATION_DEFAULTS) as (keyof KubeletConfiguration)[]) if (!NESTED.has(name)) read[name] = plainField(top, name);
  for (const [name, target] of Object.entries(DURATIONS)) read[target] = top.durationMs(name, undefined);
  const authentication = top.section("authentication"), x509 = authentication.section("x509"), anonymous = authentication.section("anonymous"), webhook = authentication.section("webhook");
  const authorization = top.section("authorization");
  read.clientCAFile = x509.get("clientCAFile", "string");
  read.anonymousAuth = anonymous.get("enabled", "boolean");
  if (authorization.get("mode", "string") !== undefined) read.authorizationMode = authorization.choice("mode", ["Webhook", "AlwaysAllow"], "Webhook");
  // Whether and how long the API server's verdicts are kept is fixed here.
  const unused = [...webhook.finish(["enabled", "cacheTTL"]), ...authorization.finish(["webhook"]), ...top.finish(NOT_USED)];
  return { configuration: Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)) as Partial<KubeletConfiguration>, warnings: unused.map((name) => `${name} is not used by this release`) };
}
