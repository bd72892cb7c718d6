/** Builders of objects for controllers' tests: only what a test is about is named. */
import type { Deployment, Node, Pod, ReplicaSet, Service } from "../../../lib/api/schema/generated/models.ts";

let counter = 0;
const uid = (prefix: string): string => `${prefix}-${++counter}`;
export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1_000).toISOString().replace(".000Z", "Z");
export const NOW = new Date(Date.UTC(2026, 0, 1) + 3_600_000);

export interface PodOptions { name?: string; namespace?: string; labels?: Record<string, string>; phase?: string; ready?: boolean; readyAt?: string; node?: string; ip?: string; owner?: { uid: string; kind?: string; name?: string }; terminating?: boolean; created?: string; cost?: string; restarts?: number; tolerations?: Pod["spec"]["tolerations"] }
export function makePod(options: PodOptions = {}): Pod {
  const name = options.name ?? uid("pod"), ip = options.ip;
  return {
    apiVersion: "v1", kind: "Pod",
    metadata: {
      name, namespace: options.namespace ?? "default", uid: `uid-${name}`, labels: options.labels ?? { app: "web" }, creationTimestamp: options.created ?? at(0), resourceVersion: "1",
      ...(options.cost === undefined ? {} : { annotations: { "controller.kubernetes.io/pod-deletion-cost": options.cost } }),
      ...(options.terminating === true ? { deletionTimestamp: at(3_000) } : {}),
      ...(options.owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", kind: options.owner.kind ?? "ReplicaSet", name: options.owner.name ?? "rs", uid: options.owner.uid, controller: true, blockOwnerDeletion: true }] }),
    },
    spec: { containers: [{ name: "web", image: "nginx", ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }] }], ...(options.node === undefined ? {} : { nodeName: options.node }), ...(options.tolerations === undefined ? {} : { tolerations: options.tolerations }) },
    status: {
      phase: options.phase ?? "Running", ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }),
      conditions: [{ type: "Ready", status: options.ready === false ? "False" : "True", lastTransitionTime: options.readyAt ?? at(10) }],
      containerStatuses: [{ name: "web", image: "nginx", imageID: "", ready: options.ready !== false, restartCount: options.restarts ?? 0 }],
    },
  };
}

export function makeReplicaSet(options: { name?: string; replicas?: number; available?: number; actual?: number; ready?: number; annotations?: Record<string, string>; created?: string; image?: string; owner?: string; minReadySeconds?: number; status?: ReplicaSet["status"] } = {}): ReplicaSet {
  const name = options.name ?? uid("rs"), replicas = options.replicas ?? 1;
  return {
    apiVersion: "apps/v1", kind: "ReplicaSet",
    metadata: {
      name, namespace: "default", uid: `uid-${name}`, generation: 1, creationTimestamp: options.created ?? at(0), resourceVersion: "1", labels: { app: "web" }, annotations: options.annotations ?? {},
      ...(options.owner === undefined ? {} : { ownerReferences: [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", uid: options.owner, controller: true }] }),
    },
    spec: { replicas, minReadySeconds: options.minReadySeconds ?? 0, selector: { matchLabels: { app: "web" } }, template: { metadata: { name: "", labels: { app: "web" } }, spec: { containers: [{ name: "web", image: options.image ?? "nginx:1" }] } } },
    status: options.status ?? { replicas: options.actual ?? replicas, readyReplicas: options.ready ?? options.available ?? replicas, availableReplicas: options.available ?? replicas, observedGeneration: 1 },
  };
}

export function makeDeployment(options: { replicas?: number; maxSurge?: string | number; maxUnavailable?: string | number; recreate?: boolean; image?: string; status?: Deployment["status"]; history?: number; deadline?: number; paused?: boolean; annotations?: Record<string, string> } = {}): Deployment {
  return {
    apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web", namespace: "default", uid: "uid-web", generation: 1, resourceVersion: "1", annotations: options.annotations ?? {} },
    spec: {
      replicas: options.replicas ?? 3, selector: { matchLabels: { app: "web" } }, revisionHistoryLimit: options.history ?? 10, progressDeadlineSeconds: options.deadline ?? 600, ...(options.paused === undefined ? {} : { paused: options.paused }),
      strategy: options.recreate === true ? { type: "Recreate" } : { type: "RollingUpdate", rollingUpdate: { maxSurge: options.maxSurge ?? "25%", maxUnavailable: options.maxUnavailable ?? "25%" } },
      template: { metadata: { name: "", labels: { app: "web" } }, spec: { containers: [{ name: "web", image: options.image ?? "nginx:1" }] } },
    },
    status: options.status ?? {},
  };
}

export function makeNode(options: { name?: string; ready?: "True" | "False" | "Unknown"; zone?: string; taints?: Node["spec"]["taints"]; unschedulable?: boolean; podCIDR?: string; heartbeat?: string } = {}): Node {
  const name = options.name ?? "n1";
  return {
    apiVersion: "v1", kind: "Node", metadata: { name, uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: at(0), labels: options.zone === undefined ? {} : { "topology.kubernetes.io/zone": options.zone } },
    spec: { ...(options.taints === undefined ? {} : { taints: options.taints }), ...(options.unschedulable === undefined ? {} : { unschedulable: options.unschedulable }), ...(options.podCIDR === undefined ? {} : { podCIDR: options.podCIDR, podCIDRs: [options.podCIDR] }) },
    status: { conditions: options.ready === undefined ? [] : [{ type: "Ready", status: options.ready, lastHeartbeatTime: options.heartbeat ?? at(0), lastTransitionTime: at(0) }] },
  };
}

export function makeService(options: Partial<Service["spec"]> & { name?: string; labels?: Record<string, string> } = {}): Service {
  const { name = "web", labels, ...spec } = options;
  return {
    apiVersion: "v1", kind: "Service", metadata: { name, namespace: "default", uid: `uid-${name}`, creationTimestamp: at(0), ...(labels === undefined ? {} : { labels }) },
    spec: { clusterIP: "10.96.0.5", ipFamilies: ["IPv4"], selector: { app: "web" }, ports: [{ name: "http", port: 80, targetPort: "http", protocol: "TCP" }], ...spec },
  };
}
