/**
 * KubeletConfiguration (kubelet.config.k8s.io/v1beta1): read from a YAML file, with upstream's defaults except where DIFFERENCES.md says otherwise.
 * A field this release does not act on is named in `warnings`, one that no KubeletConfiguration has is refused.
 */
import { parse } from "yaml";
import { parseDurationMs } from "../util/flags.ts";

export interface KubeletConfiguration {
  address: string; port: number; healthzBindAddress: string; healthzPort: number;
  tlsCertFile: string; tlsPrivateKeyFile: string; clientCAFile: string; anonymousAuth: boolean; authorizationMode: "Webhook" | "AlwaysAllow";
  clusterDNS: string[]; clusterDomain: string; resolvConf: string; cgroupDriver: "cgroupfs" | "systemd"; cgroupRoot: string; maxPods: number;
  staticPodPath: string; failSwapOn: boolean; nodeLeaseDurationSeconds: number; nodeStatusUpdateFrequencyMs: number; nodeStatusReportFrequencyMs: number;
  containerRuntimeEndpoint: string; containerLogMaxSize: string; containerLogMaxFiles: number; imageGCHighThresholdPercent: number; imageGCLowThresholdPercent: number; imageMinimumGCAgeMs: number;
  evictionHard: Record<string, string>; systemReserved: Record<string, string>; kubeReserved: Record<string, string>; allowedUnsafeSysctls: string[];
  registerWithTaints: { key: string; value?: string; effect: string }[]; registerNode: boolean; podLogsDir: string;
}

export const CONFIGURATION_DEFAULTS: KubeletConfiguration = {
  address: "0.0.0.0", port: 10_250, healthzBindAddress: "127.0.0.1", healthzPort: 10_248, tlsCertFile: "", tlsPrivateKeyFile: "", clientCAFile: "", anonymousAuth: false, authorizationMode: "Webhook",
  clusterDNS: [], clusterDomain: "", resolvConf: "/etc/resolv.conf", cgroupDriver: "cgroupfs", cgroupRoot: "/", maxPods: 110, staticPodPath: "", failSwapOn: true,
  nodeLeaseDurationSeconds: 12, nodeStatusUpdateFrequencyMs: 10_000, nodeStatusReportFrequencyMs: 300_000, containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
  containerLogMaxSize: "10Mi", containerLogMaxFiles: 5, imageGCHighThresholdPercent: 85, imageGCLowThresholdPercent: 80, imageMinimumGCAgeMs: 120_000,
  evictionHard: { "memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%", "imagefs.available": "15%" },
  systemReserved: {}, kubeReserved: {}, allowedUnsafeSysctls: [], registerWithTaints: [], registerNode: true, podLogsDir: "/var/log/pods",
};

/** Fields upstream knows and this release does not act on. */
export const NOT_USED: ReadonlySet<string> = new Set([
  "enableServer", "syncFrequency", "fileCheckFrequency", "httpCheckFrequency", "staticPodURL", "staticPodURLHeader", "readOnlyPort", "tlsCipherSuites", "tlsMinVersion", "rotateCertificates", "serverTLSBootstrap",
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
const DURATIONS: Record<string, keyof KubeletConfiguration> = { nodeStatusUpdateFrequency: "nodeStatusUpdateFrequencyMs", nodeStatusReportFrequency: "nodeStatusReportFrequencyMs", imageMinimumGCAge: "imageMinimumGCAgeMs" };
const PLAIN = new Set<string>(Object.keys(CONFIGURATION_DEFAULTS).filter((name) => !name.endsWith("Ms") && !["clientCAFile", "anonymousAuth", "authorizationMode"].includes(name)));

/** Reads the file's text. Throws on what is no KubeletConfiguration. */
export function parseKubeletConfiguration(text: string): { configuration: Partial<KubeletConfiguration>; warnings: string[] } {
  const read = parse(text) as Record<string, unknown> | null, warnings: string[] = [], configuration: Record<string, unknown> = {};
  if (read === null || typeof read !== "object" || read["kind"] !== "KubeletConfiguration") throw new Error(`Cannot read kubelet configuration: kind must be KubeletConfiguration, got ${JSON.stringify(read?.["kind"])}`);
  if (read["apiVersion"] !== "kubelet.config.k8s.io/v1beta1") throw new Error(`Cannot read kubelet configuration: apiVersion must be kubelet.config.k8s.io/v1beta1, got ${JSON.stringify(read["apiVersion"])}`);
  for (const [name, value] of Object.entries(read)) {
    if (name === "kind" || name === "apiVersion") continue;
    if (name === "authentication") {
      const { x509, anonymous } = value as { x509?: { clientCAFile?: string }; anonymous?: { enabled?: boolean } };
      if (x509?.clientCAFile !== undefined) configuration["clientCAFile"] = x509.clientCAFile;
      if (anonymous?.enabled !== undefined) configuration["anonymousAuth"] = anonymous.enabled;
    } else if (name === "authorization") {
      const { mode } = value as { mode?: string };
      if (mode !== undefined) configuration["authorizationMode"] = mode;
    } else if (DURATIONS[name] !== undefined) configuration[DURATIONS[name]] = parseDurationMs(String(value));
    else if (PLAIN.has(name)) configuration[name] = checked(name, value);
    else if (NOT_USED.has(name)) warnings.push(`${name} is not used by this release`);
    else throw new Error(`Cannot read kubelet configuration: unknown field "${name}"`);
  }
  return { configuration: configuration as Partial<KubeletConfiguration>, warnings };
}

function checked(name: string, value: unknown): unknown {
  const wanted = CONFIGURATION_DEFAULTS[name as keyof KubeletConfiguration];
  const fits = Array.isArray(wanted) ? Array.isArray(value) : typeof wanted === typeof value && !Array.isArray(value);
  if (!fits) throw new Error(`Cannot read kubelet configuration: ${name} must be a ${Array.isArray(wanted) ? "list" : typeof wanted}, got ${JSON.stringify(value)}`);
  return value;
}
