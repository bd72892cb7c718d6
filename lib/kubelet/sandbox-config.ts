/** A pod's sandbox in CRI's words. Pure. Counterpart: kubelet `kuberuntime_sandbox.go`. */
import type { Pod } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { podDnsConfig, type DnsSettings } from "./dns-config.ts";
import { ANNOTATION, podLabels } from "./labels.ts";
import { namespaceOf, uidOf } from "./pod-facts.ts";
import { sandboxSecurityContext } from "./security-context.ts";
import { dottedSysctl } from "./sysctl-name.ts";

const HOSTNAME_MAX = 63;
const PROTOCOLS = { TCP: "TCP", UDP: "UDP", SCTP: "SCTP" } as const;

export const podLogDirectory = (root: string, pod: Pod): string => `${root}/${namespaceOf(pod)}_${pod.metadata.name}_${uidOf(pod)}`;

/** The name under which log collectors look for a container's log. */
export const containerLogLink = (root: string, pod: Pod, container: string, containerId: string): string => `${root}/${pod.metadata.name}_${namespaceOf(pod)}_${container}-${containerId}.log`;

const truncateHostname = (name: string): string => (name.length <= HOSTNAME_MAX ? name : name.slice(0, HOSTNAME_MAX).replace(/[-.]+$/, ""));

/** Host name and, where the pod has a subdomain, its full name in the cluster. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; fqdn: string | undefined } {
  const override = pod.spec.hostnameOverride;
  if (override !== undefined && override !== "") return { hostname: override, fqdn: undefined };
  const hostname = truncateHostname(pod.spec.hostname !== undefined && pod.spec.hostname !== "" ? pod.spec.hostname : pod.metadata.name);
  const subdomain = pod.spec.subdomain;
  const fqdn = subdomain === undefined || subdomain === "" ? undefined : `${hostname}.${subdomain}.${namespaceOf(pod)}.svc.${clusterDomain}`;
  return { hostname: pod.spec.setHostnameAsFQDN === true && fqdn !== undefined ? fqdn : hostname, fqdn };
}

export interface SandboxSettings { readonly nodeName: string; readonly dns: DnsSettings; readonly logRoot: string; readonly cgroupParent: string }

export function sandboxConfig(pod: Pod, attempt: number, settings: SandboxSettings): CriInput<"PodSandboxConfig"> {
  const hostNetwork = pod.spec.hostNetwork === true;
  const ports = hostNetwork ? [] : pod.spec.containers.concat(pod.spec.initContainers ?? []).flatMap((container) => container.ports ?? []).filter((port) => (port.hostPort ?? 0) > 0);
  return {
    metadata: { name: pod.metadata.name, uid: uidOf(pod), namespace: namespaceOf(pod), attempt },
    hostname: hostNetwork ? "" : podHostname(pod, settings.dns.clusterDomain).hostname,
    logDirectory: podLogDirectory(settings.logRoot, pod), dnsConfig: podDnsConfig(pod, settings.dns),
    portMappings: ports.map((port) => ({ protocol: PROTOCOLS[(port.protocol ?? "TCP") as keyof typeof PROTOCOLS], containerPort: port.containerPort, hostPort: port.hostPort, hostIp: port.hostIP ?? "" })),
    labels: { ...pod.metadata.labels, ...podLabels(pod, settings.nodeName) },
    annotations: { ...pod.metadata.annotations, [ANNOTATION.configSource]: pod.metadata.annotations?.[ANNOTATION.configSource] ?? "api" },
    linux: {
      cgroupParent: settings.cgroupParent, securityContext: sandboxSecurityContext(pod),
      sysctls: Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map((sysctl) => [dottedSysctl(sysctl.name), sysctl.value])),
    },
  };
}
