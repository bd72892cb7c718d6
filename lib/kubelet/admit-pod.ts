/**
 * Whether this node takes a pod that was bound to it. Pure. Counterpart: kubelet `lifecycle/predicate.go` and `sysctl/allowlist.go`;
 * reasons and messages are upstream's. The scheduler has checked most of it already; a pod bound by hand, or a node that changed, has not been.
 */
import { matchesRequiredNodeAffinity } from "../api/helpers/node-affinity.ts";
import { podRequests, resourceAmount } from "../api/helpers/pod-requests.ts";
import { evicts, findUntoleratedTaint } from "../api/helpers/tolerations.ts";
import type { Node, Pod } from "../api/schema/generated/models.ts";
import { isTerminalPhase, uidOf } from "./pod-facts.ts";
import { findUnsupported, type HostAbilities } from "./unsupported.ts";
import { dottedSysctl } from "./sysctl-name.ts";

export interface Rejection { readonly reason: string; readonly message: string; /** Another look at the node may change the answer. */ readonly dependsOnNode: boolean }

const SAFE_SYSCTLS = new Set([
  "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
]);

function forbiddenSysctl(pod: Pod, allowed: readonly string[]): Rejection | undefined {
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    const dotted = dottedSysctl(name), listed = SAFE_SYSCTLS.has(dotted) || allowed.some((pattern) => (pattern.endsWith("*") ? dotted.startsWith(pattern.slice(0, -1)) : pattern === dotted));
    const rejection = (why: string): Rejection => ({ reason: "SysctlForbidden", message: `forbidden sysctl: "${dotted}" ${why}`, dependsOnNode: false });
    if (!listed) return rejection("not allowlisted");
    if (pod.spec.hostNetwork === true && dotted.startsWith("net.")) return rejection("not allowed with host net enabled");
    if (pod.spec.hostIPC === true && (dotted.startsWith("kernel.sem") || dotted.startsWith("kernel.msg") || dotted.startsWith("kernel.shm") || dotted.startsWith("fs.mqueue."))) return rejection("not allowed with host ipc enabled");
  }
  return undefined;
}

const hostPorts = (pod: Pod): string[] => [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) => container.ports ?? []).filter((port) => (port.hostPort ?? 0) > 0).map((port) => `${port.protocol ?? "TCP"} ${port.hostPort}`);

function lacking(pod: Pod, node: Node, others: readonly Pod[]): Rejection | undefined {
  const allocatable = node.status?.allocatable ?? {}, wanted = new Map([...podRequests(pod), ["pods", 1] as const]);
  for (const [resource, requested] of wanted) {
    if (requested === 0 || allocatable[resource] === undefined) continue;
    const used = others.reduce((sum, other) => sum + (resource === "pods" ? 1 : podRequests(other).get(resource) ?? 0), 0), capacity = resourceAmount(resource, allocatable[resource]);
    if (used + requested > capacity) return { reason: `OutOf${resource}`, message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`, dependsOnNode: false };
  }
  return undefined;
}

export interface AdmissionSettings { readonly allowedUnsafeSysctls: readonly string[]; readonly abilities: HostAbilities }

/** Undefined: it may run. `others` are the pods already taken. */
export function admitPod(pod: Pod, node: Node, others: readonly Pod[], { allowedUnsafeSysctls, abilities }: AdmissionSettings): Rejection | undefined {
  const present = others.filter((other) => uidOf(other) !== uidOf(pod) && !isTerminalPhase(other.status?.phase)), predicate = (name: string, why: string): Rejection => ({ reason: name, message: `Predicate ${name} failed: ${why}`, dependsOnNode: true });
  const unsupported = findUnsupported(pod, abilities);
  if (unsupported !== undefined) return { reason: "Unsupported", message: unsupported, dependsOnNode: false };
  const sysctl = forbiddenSysctl(pod, allowedUnsafeSysctls);
  if (sysctl !== undefined) return sysctl;
  const short = lacking(pod, node, present);
  if (short !== undefined) return short;
  if (!matchesRequiredNodeAffinity(pod.spec, node)) return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  const taken = new Set(present.flatMap(hostPorts));
  if (hostPorts(pod).some((port) => taken.has(port))) return { ...predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports"), dependsOnNode: false };
  if (findUntoleratedTaint(node.spec?.taints, pod.spec.tolerations, evicts) !== undefined) return predicate("TaintToleration", "node(s) had untolerated taint(s)");
  return undefined;
}
