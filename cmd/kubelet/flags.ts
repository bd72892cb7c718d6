/** Flags of the kubelet, upstream's names; a flag wins over the configuration file. */
import { hostname, networkInterfaces } from "node:os";
import { quantityValue, milliValue } from "../../lib/api/quantity.ts";
import type { Taint } from "../../lib/api/schema/generated/models.ts";
import { parseCgroupRoot } from "../../lib/host/cgroup-name.ts";
import { CONFIGURATION_DEFAULTS, KUBELET_CONFIGURATION, readKubeletConfiguration, type KubeletConfiguration } from "../../lib/kubelet/kubelet-configuration.ts";
import type { KubeletOptions } from "../../lib/kubelet/kubelet-options.ts";
import type { NodeResources } from "../../lib/kubelet/node-status.ts";
import { readConfigKind } from "../../lib/util/config-flags.ts";
import { DAEMON_FLAGS } from "../../lib/util/daemon.ts";
import { FlagError, type FlagValues } from "../../lib/util/flags.ts";

export const FLAGS = {
  config: { type: "string", help: "a file with a KubeletConfiguration (kubelet.config.k8s.io/v1beta1), flags by their names, or both as two documents" },
  kubeconfig: { type: "string", help: "kubeconfig with the address and credentials of the API server" },
  "hostname-override": { type: "string", help: "name of the node instead of the host's name" },
  "node-ip": { type: "list", help: "address of the node; by default that of the first interface that has one" },
  "container-runtime-endpoint": { type: "string", help: "unix socket of the container runtime (default unix:///run/containerd/containerd.sock)" },
  "root-dir": { type: "string", default: "/var/lib/kubelet", help: "directory of volumes and other files of pods" },
  "cluster-dns": { type: "list", help: "addresses of the cluster's DNS servers" },
  "cluster-domain": { type: "string", help: "domain of the cluster" },
  "cgroup-root": { type: "string", help: "control group below which all pods are put (default /)" },
  "cgroup-driver": { type: "string", help: "cgroupfs or systemd (default cgroupfs)" },
  "client-ca-file": { type: "string", help: "authorities whose client certificates are accepted on the kubelet's port" },
  "tls-cert-file": { type: "string", help: "serving certificate; without it, a self-signed one is made" },
  "tls-private-key-file": { type: "string", help: "key of --tls-cert-file" },
  "cert-dir": { type: "string", default: "/var/lib/kubelet/pki", help: "where certificates are kept that the cluster signs" },
  "rotate-certificates": { type: "bool", help: "renew the client certificate before it ends" },
  "rotate-server-certificates": { type: "bool", help: "have the serving certificate signed by the cluster, and renew it" },
  "authorization-mode": { type: "string", help: "Webhook or AlwaysAllow (default Webhook)" },
  "anonymous-auth": { type: "bool", help: "refused: this release serves no anonymous requests" },
  "register-node": { type: "bool", default: true, help: "register the node with the API server" },
  "register-with-taints": { type: "list", help: "taints of a node that is new: KEY=VALUE:EFFECT" },
  "node-labels": { type: "list", help: "labels of the node: KEY=VALUE" },
  address: { type: "string", help: "address to serve on (default 0.0.0.0)" },
  port: { type: "int", help: "port to serve on (default 10250)" },
  "healthz-bind-address": { type: "string", help: "address of the health port (default 127.0.0.1)" },
  "healthz-port": { type: "int", help: "port of the health port; 0 serves none (default 10248)" },
  "resolv-conf": { type: "string", help: 'resolver configuration pods take over; "" for none (default /etc/resolv.conf)' },
  "max-pods": { type: "int", help: "pods that can run here (default 110)" },
  "pod-manifest-path": { type: "string", help: "directory of static pods' manifests; refused by this release" },
  "fail-swap-on": { type: "bool", default: true, help: "do not start while swap is on" },
  "system-reserved": { type: "list", help: "kept for the system: cpu=100m,memory=200Mi" },
  "kube-reserved": { type: "list", help: "kept for Kubernetes: cpu=100m,memory=200Mi" },
  "container-log-directory": { type: "string", default: "/var/log/containers", help: "where links to containers' logs go (ours alone)" },
  profile: { type: "string", default: "small", help: "small or upstream: how often the node says it lives (ours alone)" },
  ...DAEMON_FLAGS,
} as const;
export type Flags = FlagValues<typeof FLAGS>;

/** Joins defaults, file and flags. Throws FlagError and what reading the file throws. */
export function resolveConfiguration(flags: Flags, given: ReadonlySet<string>): { configuration: KubeletConfiguration; warnings: string[] } {
  const document = flags.config === undefined ? undefined : readConfigKind(flags.config, KUBELET_CONFIGURATION);
  const file = document === undefined ? { configuration: {}, warnings: [] } : readKubeletConfiguration(document);
  const upstream = flags.profile === "upstream" ? { nodeLeaseDurationSeconds: 40 } : {};
  const list = <T>(values: readonly string[], read: (values: readonly string[]) => T): T | undefined => (values.length === 0 ? undefined : read(values)), asIs = (values: readonly string[]): string[] => [...values];
  const over = definedOf<KubeletConfiguration>({
    containerRuntimeEndpoint: flags["container-runtime-endpoint"], clusterDNS: list(flags["cluster-dns"], asIs), clusterDomain: flags["cluster-domain"], cgroupRoot: flags["cgroup-root"],
    cgroupDriver: flags["cgroup-driver"] as KubeletConfiguration["cgroupDriver"] | undefined, clientCAFile: flags["client-ca-file"], tlsCertFile: flags["tls-cert-file"], tlsPrivateKeyFile: flags["tls-private-key-file"],
    authorizationMode: flags["authorization-mode"] as KubeletConfiguration["authorizationMode"] | undefined, anonymousAuth: given.has("anonymous-auth") ? flags["anonymous-auth"] : undefined,
    address: flags.address, port: flags.port, healthzBindAddress: flags["healthz-bind-address"], healthzPort: flags["healthz-port"], resolvConf: flags["resolv-conf"], maxPods: flags["max-pods"],
    failSwapOn: given.has("fail-swap-on") ? flags["fail-swap-on"] : undefined, registerNode: given.has("register-node") ? flags["register-node"] : undefined,
    rotateCertificates: given.has("rotate-certificates") ? flags["rotate-certificates"] : undefined, serverTLSBootstrap: given.has("rotate-server-certificates") ? flags["rotate-server-certificates"] : undefined,
    registerWithTaints: list(flags["register-with-taints"], (values) => values.map(parseTaint) as KubeletConfiguration["registerWithTaints"]),
    systemReserved: list(flags["system-reserved"], parsePairs), kubeReserved: list(flags["kube-reserved"], parsePairs),
  });
  const configuration = { ...CONFIGURATION_DEFAULTS, ...upstream, ...file.configuration, ...over };
  if (configuration.cgroupDriver !== "cgroupfs" && configuration.cgroupDriver !== "systemd") throw new FlagError(`invalid cgroup driver ${JSON.stringify(configuration.cgroupDriver)}: must be cgroupfs or systemd`);
  if (configuration.authorizationMode !== "Webhook" && configuration.authorizationMode !== "AlwaysAllow") throw new FlagError(`invalid authorization mode ${JSON.stringify(configuration.authorizationMode)}: must be Webhook or AlwaysAllow`);
  if (configuration.anonymousAuth) throw new FlagError("anonymous authentication is not supported by this release");
  if (!configuration.registerNode) throw new FlagError("a kubelet without an API server (registerNode: false) is not supported by this release");
  if (flags["pod-manifest-path"] !== undefined || configuration.staticPodPath !== "") throw new FlagError("static pods are not supported by this release");
  return { configuration, warnings: file.warnings };
}

/** The fields that are set. */
function definedOf<T>(object: { [K in keyof T]?: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<T>;
}

export function parseTaint(text: string): Taint {
  const match = /^([^=:]+)(?:=([^:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  if (match === null) throw new FlagError(`invalid taint spec: ${text}`);
  return { key: match[1]!, ...(match[2] === undefined ? {} : { value: match[2] }), effect: match[3]! };
}

export const parsePairs = (list: readonly string[]): Record<string, string> => Object.fromEntries(list.map((pair) => {
  const at = pair.indexOf("=");
  if (at < 1) throw new FlagError(`${pair} must be formatted as key=value`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}));

function reservedOf(...maps: readonly Record<string, string>[]): NodeResources {
  const sum = (name: string, read: (quantity: string) => number): number => maps.reduce((total, map) => total + (map[name] === undefined ? 0 : read(map[name])), 0);
  return { cpuMilli: sum("cpu", milliValue), memoryBytes: sum("memory", quantityValue), ephemeralStorageBytes: sum("ephemeral-storage", quantityValue), pods: 0 };
}

function ownAddress(): string[] {
  for (const addresses of Object.values(networkInterfaces())) for (const address of addresses ?? []) if (!address.internal && address.family === "IPv4") return [address.address];
  return [];
}

export function kubeletOptions(flags: Flags, configuration: KubeletConfiguration, pressure: KubeletOptions["pressure"]): KubeletOptions {
  const host = (flags["hostname-override"] ?? hostname()).toLowerCase(), memory = configuration.evictionHard["memory.available"];
  return {
    nodeName: host, hostname: host, nodeIPs: flags["node-ip"].length > 0 ? flags["node-ip"] : ownAddress(), labels: parsePairs(flags["node-labels"]), taints: configuration.registerWithTaints as Taint[],
    rootDirectory: flags["root-dir"], podLogDirectory: configuration.podLogsDir, containerLogDirectory: flags["container-log-directory"], clusterDns: configuration.clusterDNS, clusterDomain: configuration.clusterDomain,
    resolvConf: configuration.resolvConf, cgroupDriver: configuration.cgroupDriver, cgroupRoot: parseCgroupRoot(configuration.cgroupRoot), maxPods: configuration.maxPods, port: configuration.port,
    reserved: reservedOf(configuration.systemReserved, configuration.kubeReserved), evictionMemoryBytes: memory === undefined || memory.endsWith("%") ? 0 : quantityValue(memory),
    leaseDurationSeconds: configuration.nodeLeaseDurationSeconds, statusCheckMs: configuration.nodeStatusUpdateFrequencyMs, statusReportMs: configuration.nodeStatusReportFrequencyMs,
    allowedUnsafeSysctls: configuration.allowedUnsafeSysctls, pressure,
  };
}
