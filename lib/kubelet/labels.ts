/**
 * Labels and annotations on sandboxes and containers: how the kubelet recognises its own after a restart.
 * Counterpart: kubelet `kuberuntime/labels.go`; the names are upstream's, the node label is ours.
 */
import { createHash } from "node:crypto";
import type { Container, Pod } from "../api/schema/generated/models.ts";

export const LABEL = {
  podName: "io.kubernetes.pod.name", podNamespace: "io.kubernetes.pod.namespace", podUid: "io.kubernetes.pod.uid", containerName: "io.kubernetes.container.name",
  /** Ours: which node's kubelet made it. Nothing without it is ever cleaned up. */
  node: "io.kajitori.node",
} as const;
export const ANNOTATION = {
  hash: "io.kubernetes.container.hash", restartCount: "io.kubernetes.container.restartCount", terminationMessagePath: "io.kubernetes.container.terminationMessagePath",
  terminationMessagePolicy: "io.kubernetes.container.terminationMessagePolicy", ports: "io.kubernetes.container.ports", preStop: "io.kubernetes.container.preStopHandler",
  podTerminationGrace: "io.kubernetes.pod.terminationGracePeriod", podDeletionGrace: "io.kubernetes.pod.deletionGracePeriod",
  configSource: "kubernetes.io/config.source", configSeen: "kubernetes.io/config.seen", configHash: "kubernetes.io/config.hash", configMirror: "kubernetes.io/config.mirror",
} as const;

/** What makes a running container out of date: upstream counts its name and image. */
export const containerHash = (container: Pick<Container, "name" | "image">): string =>
  createHash("sha256").update(JSON.stringify([container.name, container.image ?? ""])).digest("hex").slice(0, 8);

export const podLabels = (pod: Pod, nodeName: string): Record<string, string> => ({
  [LABEL.podName]: pod.metadata.name, [LABEL.podNamespace]: pod.metadata.namespace ?? "default", [LABEL.podUid]: pod.metadata.uid ?? "", [LABEL.node]: nodeName,
});

export const containerLabels = (pod: Pod, container: Container, nodeName: string): Record<string, string> => ({ ...podLabels(pod, nodeName), [LABEL.containerName]: container.name });

export function containerAnnotations(pod: Pod, container: Container, restartCount: number): Record<string, string> {
  return {
    [ANNOTATION.hash]: containerHash(container), [ANNOTATION.restartCount]: String(restartCount),
    [ANNOTATION.terminationMessagePath]: container.terminationMessagePath ?? "/dev/termination-log",
    [ANNOTATION.terminationMessagePolicy]: container.terminationMessagePolicy ?? "File",
    [ANNOTATION.podTerminationGrace]: String(pod.spec.terminationGracePeriodSeconds ?? 30),
    ...(container.ports === undefined || container.ports.length === 0 ? {} : { [ANNOTATION.ports]: JSON.stringify(container.ports) }),
    ...(container.lifecycle?.preStop === undefined ? {} : { [ANNOTATION.preStop]: JSON.stringify(container.lifecycle.preStop) }),
  };
}
