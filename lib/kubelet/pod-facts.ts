/** Small questions about a pod's spec, asked in many places. Pure. Counterpart: kubelet and api `pod/util.go`. */
import type { Container, Pod } from "../api/schema/generated/models.ts";

export const podKey = (pod: Pod): string => `${pod.metadata.namespace ?? "default"}/${pod.metadata.name}`;
export const uidOf = (pod: Pod): string => pod.metadata.uid ?? "";
export const namespaceOf = (pod: Pod): string => pod.metadata.namespace ?? "default";

/** An init container that keeps running beside the others. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";
export const initContainersOf = (pod: Pod): readonly Container[] => pod.spec.initContainers ?? [];
export const isInitContainer = (pod: Pod, name: string): boolean => initContainersOf(pod).some((container) => container.name === name);

export function findContainer(pod: Pod, name: string): Container | undefined {
  return [...initContainersOf(pod), ...pod.spec.containers, ...((pod.spec.ephemeralContainers ?? []) as Container[])].find((container) => container.name === name);
}

/** The path events name: `spec.containers{web}`. */
export function fieldPathOf(pod: Pod, name: string): string {
  const list = isInitContainer(pod, name) ? "initContainers" : pod.spec.containers.some((c) => c.name === name) ? "containers" : "ephemeralContainers";
  return `spec.${list}{${name}}`;
}

/** Whether a container that ended with `exitCode` runs again, by its own rules, its own policy, or the pod's. */
export function restartsAfter(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(exitCode) ?? false;
    if (rule.action === "Restart" && (rule.exitCodes?.operator === "NotIn" ? !listed : listed)) return true;
  }
  const policy = container.restartPolicy ?? (isInitContainer(pod, container.name) && pod.spec.restartPolicy === "Always" ? "OnFailure" : pod.spec.restartPolicy ?? "Always");
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

export const graceSecondsOf = (pod: Pod): number => pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
export const isTerminalPhase = (phase: string | undefined): boolean => phase === "Succeeded" || phase === "Failed";
/** Made from a file on the node rather than by the API server. */
export const isStaticPod = (pod: Pod): boolean => (pod.metadata.annotations?.["kubernetes.io/config.source"] ?? "api") !== "api";
export const isMirrorPod = (pod: Pod): boolean => pod.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
