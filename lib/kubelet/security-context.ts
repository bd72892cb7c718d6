/** Security settings of sandboxes and containers in CRI's words. Pure. Counterpart: kubelet `kuberuntime/security_context.go` and `pkg/securitycontext`. */
import type { AppArmorProfile, Container, EphemeralContainer, Pod, SeccompProfile, SecurityContext } from "../api/schema/generated/models.ts";
import type { CriInput } from "../cri/messages.ts";
import { ContainerConfigError } from "./environment.ts";

const MASKED_PATHS = ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"];
const READONLY_PATHS = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

function seccomp(profile: SeccompProfile | undefined, profileRoot: string): CriInput<"SecurityProfile"> {
  switch (profile?.type ?? "") {
    case "RuntimeDefault": return { profileType: "RuntimeDefault" };
    case "Localhost": return { profileType: "Localhost", localhostRef: `${profileRoot}/${profile?.localhostProfile ?? ""}` };
    default: return { profileType: "Unconfined" };
  }
}

/** Left out where nothing is asked for: the runtime then applies its default where the host has AppArmor. */
function apparmor(profile: AppArmorProfile | undefined, privileged: boolean): CriInput<"LinuxContainerSecurityContext"> {
  switch (privileged ? "" : profile?.type ?? "") {
    case "RuntimeDefault": return { apparmor: { profileType: "RuntimeDefault" } };
    case "Localhost": return { apparmor: { profileType: "Localhost", localhostRef: profile?.localhostProfile ?? "" } };
    case "Unconfined": return { apparmor: { profileType: "Unconfined" } };
    default: return {};
  }
}

function namespaces(pod: Pod): CriInput<"NamespaceOption"> {
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  return { network: hostNetwork === true ? "NODE" : "POD", pid: hostPID === true ? "NODE" : shareProcessNamespace === true ? "POD" : "CONTAINER", ipc: hostIPC === true ? "NODE" : "POD" };
}

const supplementalGroups = (pod: Pod): number[] => [...new Set([...(pod.spec.securityContext?.fsGroup === undefined ? [] : [pod.spec.securityContext.fsGroup]), ...(pod.spec.securityContext?.supplementalGroups ?? [])])];

const isPrivileged = (container: Container): boolean => container.securityContext?.privileged === true;

export function sandboxSecurityContext(pod: Pod): CriInput<"LinuxSandboxSecurityContext"> {
  const own = pod.spec.securityContext ?? {};
  return {
    privileged: [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].some(isPrivileged), namespaceOptions: namespaces(pod), seccomp: { profileType: "RuntimeDefault" },
    supplementalGroups: supplementalGroups(pod), supplementalGroupsPolicy: own.supplementalGroupsPolicy === "Strict" ? "Strict" : "Merge",
    ...(own.runAsUser === undefined ? {} : { runAsUser: { value: own.runAsUser } }),
    ...(own.runAsGroup === undefined || own.runAsUser === undefined ? {} : { runAsGroup: { value: own.runAsGroup } }),
    ...(own.seLinuxOptions === undefined ? {} : { selinuxOptions: own.seLinuxOptions }),
  };
}

/** The image's own user, as the runtime tells it. */
export interface ImageUser { readonly uid?: number; readonly username?: string }

/** Refuses a container that must not run as root but would. Throws ContainerConfigError with upstream's words. */
export function checkRunAsNonRoot(pod: Pod, container: Container, image: ImageUser): void {
  const wanted = container.securityContext?.runAsNonRoot ?? pod.spec.securityContext?.runAsNonRoot;
  if (wanted !== true) return;
  const uid = container.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser;
  const where = `(pod: "${pod.metadata.name}_${pod.metadata.namespace ?? "default"}(${pod.metadata.uid ?? ""})", container: ${container.name})`;
  if (uid !== undefined) { if (uid === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`); return; }
  if (image.uid === 0 || (image.uid === undefined && (image.username ?? "") === "")) throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (image.uid === undefined) throw new ContainerConfigError(`container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`);
}

export function containerSecurityContext(pod: Pod, container: Container | EphemeralContainer, profileRoot: string, targetId: string | undefined): CriInput<"LinuxContainerSecurityContext"> {
  const own: SecurityContext = container.securityContext ?? {}, common = pod.spec.securityContext ?? {};
  const uid = own.runAsUser ?? common.runAsUser, gid = own.runAsGroup ?? common.runAsGroup, selinux = own.seLinuxOptions ?? common.seLinuxOptions;
  const privileged = own.privileged === true, unmasked = own.procMount === "Unmasked" || privileged;
  return {
    privileged, readonlyRootfs: own.readOnlyRootFilesystem === true,
    namespaceOptions: targetId === undefined ? namespaces(pod) : { ...namespaces(pod), pid: "TARGET", targetId },
    capabilities: { addCapabilities: own.capabilities?.add ?? [], dropCapabilities: own.capabilities?.drop ?? [] },
    supplementalGroups: supplementalGroups(pod), supplementalGroupsPolicy: common.supplementalGroupsPolicy === "Strict" ? "Strict" : "Merge",
    seccomp: privileged ? { profileType: "Unconfined" } : seccomp(own.seccompProfile ?? common.seccompProfile, profileRoot),
    noNewPrivs: own.allowPrivilegeEscalation === false,
    ...apparmor(own.appArmorProfile ?? common.appArmorProfile, privileged), maskedPaths: unmasked ? [] : MASKED_PATHS, readonlyPaths: unmasked ? [] : READONLY_PATHS,
    ...(uid === undefined ? {} : { runAsUser: { value: uid } }), ...(gid === undefined ? {} : { runAsGroup: { value: gid } }),
    ...(selinux === undefined ? {} : { selinuxOptions: selinux }),
  };
}
