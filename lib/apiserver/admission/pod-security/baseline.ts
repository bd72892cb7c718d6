/** What the baseline level forbids: known ways out of a container. Source: Pod Security Standards; counterpart: pod-security-admission `policy/check_*.go`. */
import type { LifecycleHandler, Probe } from "../../../api/schema/generated/models.ts";
import { allContainers, type AnyContainer, type Check, containersText, perContainer, quoted, sortedUnique, type Violation } from "./containers.ts";

const CAPABILITIES = new Set(["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"]);
const SYSCTLS = new Set(["kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]);
const SELINUX_TYPES = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);
const APPARMOR_PREFIX = "container.apparmor.security.beta.kubernetes.io/";

const appArmor: Check = (spec) => {
  const found: string[] = [];
  if (spec.securityContext?.appArmorProfile?.type === "Unconfined") found.push('pod must not set AppArmor profile type to "Unconfined"');
  const bad = allContainers(spec).filter((container) => container.securityContext?.appArmorProfile?.type === "Unconfined");
  if (bad.length > 0) found.push(`${containersText(bad)} must not set AppArmor profile type to "Unconfined"`);
  return found.length === 0 ? undefined : { reason: "forbidden AppArmor profile", detail: found.join(" and ") };
};
/** Profiles from before there was a field. */
export function appArmorAnnotations(annotations: Readonly<Record<string, string>> | undefined): Violation | undefined {
  const bad = Object.entries(annotations ?? {}).filter(([key, value]) => key.startsWith(APPARMOR_PREFIX) && value !== "" && value !== "runtime/default" && !value.startsWith("localhost/"));
  return bad.length === 0 ? undefined : { reason: "forbidden AppArmor profile", detail: `${bad.length === 1 ? "annotation" : "annotations"} ${bad.map(([key, value]) => `${key}=${JSON.stringify(value)}`).sort().join(", ")}` };
}

const addedCapabilities = (container: AnyContainer): string[] => container.securityContext?.capabilities?.add ?? [];
const capabilities = perContainer("non-default capabilities", (container) => addedCapabilities(container).some((each) => !CAPABILITIES.has(each)),
  (containers, bad) => `${containers} must not include ${quoted(sortedUnique(bad.flatMap(addedCapabilities).filter((each) => !CAPABILITIES.has(each))))} in securityContext.capabilities.add`);

const hostNamespaces: Check = (spec) => {
  const found = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true).map((field) => `${field}=true`);
  return found.length === 0 ? undefined : { reason: "host namespaces", detail: found.join(", ") };
};

const hostPathVolumes: Check = (spec) => {
  const found = (spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined).map((volume) => volume.name);
  return found.length === 0 ? undefined : { reason: "hostPath volumes", detail: `${found.length === 1 ? "volume" : "volumes"} ${quoted(found)}` };
};

const hostPortsOf = (container: AnyContainer): string[] => (container.ports ?? []).filter((port) => (port.hostPort ?? 0) !== 0).map((port) => String(port.hostPort));
const hostPorts = perContainer("hostPort", (container) => hostPortsOf(container).length > 0, (containers, bad) => {
  const ports = sortedUnique(bad.flatMap(hostPortsOf));
  return `${containers} ${bad.length === 1 ? "uses" : "use"} ${ports.length === 1 ? "hostPort" : "hostPorts"} ${ports.join(", ")}`;
});

const privileged = perContainer("privileged", (container) => container.securityContext?.privileged === true, (containers) => `${containers} must not set securityContext.privileged=true`);

const procMountOf = (container: AnyContainer): string => container.securityContext?.procMount ?? "Default";
const procMount = perContainer("procMount", (container) => procMountOf(container) !== "Default", (containers, bad) => `${containers} must not set securityContext.procMount to ${quoted(sortedUnique(bad.map(procMountOf)))}`);

const seLinux: Check = (spec) => {
  const forbidden: string[] = [], setters: string[] = [];
  const look = (who: string, options: { type?: string | undefined; user?: string | undefined; role?: string | undefined } | undefined): void => {
    if (options === undefined) return;
    const bad = [...(SELINUX_TYPES.has(options.type ?? "") ? [] : [`type ${JSON.stringify(options.type)}`]), ...((options.user ?? "") === "" ? [] : ["user may not be set"]), ...((options.role ?? "") === "" ? [] : ["role may not be set"])];
    if (bad.length > 0) { setters.push(who); forbidden.push(...bad); }
  };
  look("pod", spec.securityContext?.seLinuxOptions);
  for (const container of allContainers(spec)) look(`container ${JSON.stringify(container.name)}`, container.securityContext?.seLinuxOptions);
  return setters.length === 0 ? undefined : { reason: "seLinuxOptions", detail: `${setters.join(" and ")} set forbidden securityContext.seLinuxOptions: ${sortedUnique(forbidden).join("; ")}` };
};

const isUnconfined = (type: string | undefined): boolean => type === "Unconfined";
export const seccompBaseline: Check = (spec) => {
  const found: string[] = [], bad = allContainers(spec).filter((container) => isUnconfined(container.securityContext?.seccompProfile?.type)), why = 'must not set securityContext.seccompProfile.type to "Unconfined"';
  if (isUnconfined(spec.securityContext?.seccompProfile?.type)) found.push(`pod ${why}`);
  if (bad.length > 0) found.push(`${containersText(bad)} ${why}`);
  return found.length === 0 ? undefined : { reason: "seccompProfile", detail: found.join(" and ") };
};

const sysctls: Check = (spec) => {
  const found = (spec.securityContext?.sysctls ?? []).map((sysctl) => sysctl.name).filter((name) => !SYSCTLS.has(name));
  return found.length === 0 ? undefined : { reason: "forbidden sysctls", detail: found.join(", ") };
};

const windowsHostProcess: Check = (spec) => {
  const bad = allContainers(spec).filter((container) => container.securityContext?.windowsOptions?.hostProcess === true), found: string[] = [];
  if (spec.securityContext?.windowsOptions?.hostProcess === true) found.push("pod");
  if (bad.length > 0) found.push(containersText(bad));
  return found.length === 0 ? undefined : { reason: "hostProcess", detail: `${found.join(" and ")} must not set securityContext.windowsOptions.hostProcess=true` };
};

const hostOf = (handler: Probe | LifecycleHandler | undefined): string[] => [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host): host is string => host !== undefined && host !== "");
const probeHosts = (container: AnyContainer): string[] => [container.livenessProbe, container.readinessProbe, container.startupProbe, container.lifecycle?.postStart, container.lifecycle?.preStop].flatMap(hostOf);
const hostProbes = perContainer("probe or lifecycle host", (container) => probeHosts(container).length > 0, (containers, bad) => {
  const hosts = sortedUnique(bad.flatMap(probeHosts));
  return `${containers} ${bad.length === 1 ? "uses" : "use"} probe or lifecycle ${hosts.length === 1 ? "host" : "hosts"} ${quoted(hosts)}`;
});

/** In upstream's order, which is that of their names. Those the restricted level says more about are apart. */
export const BASELINE_CHECKS: readonly Check[] = [appArmor, hostNamespaces, hostPathVolumes, hostPorts, hostProbes, privileged, procMount, seLinux, sysctls, windowsHostProcess];
export const capabilitiesBaseline: Check = capabilities;
