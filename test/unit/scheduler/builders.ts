/** Pods, nodes and clusters for the scheduler's tests. */
import type { Container, Node, Pod, PodSpec, Taint } from "../../../lib/api/schema/generated/models.ts";
import { ClusterCache } from "../../../lib/scheduler/cache/cluster-cache.ts";
import { PodInfo } from "../../../lib/scheduler/cache/pod-info.ts";
import { Nominations } from "../../../lib/scheduler/framework/nominations.ts";
import type { Cluster, VolumeListers } from "../../../lib/scheduler/framework/plugin.ts";
import { DEFAULT_PROFILE } from "../../../lib/scheduler/framework/profile.ts";
import { schedulePod, type Decision, type ScheduleDeps } from "../../../lib/scheduler/framework/schedule-pod.ts";
import { fitErrorMessage } from "../../../lib/scheduler/framework/fit-error.ts";
import type { LabelMatcher } from "../../../lib/api/helpers/label-selector.ts";
import { ManualClock } from "../../../lib/util/clock.ts";

export interface PodOptions {
  namespace?: string; labels?: Record<string, string>; requests?: Record<string, string>; hostPort?: number; image?: string;
  priority?: number; startTime?: string; spec?: Partial<PodSpec>; node?: string; uid?: string;
}

export function makePod(name: string, { namespace = "default", labels = {}, requests, hostPort, image = "nginx", priority, startTime, spec = {}, node, uid }: PodOptions = {}): Pod {
  const container: Container = {
    name: "main", image, ...(requests === undefined ? {} : { resources: { requests } }),
    ...(hostPort === undefined ? {} : { ports: [{ containerPort: 80, hostPort }] }),
  };
  return {
    apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels, uid: uid ?? `uid-${namespace}-${name}` },
    spec: { containers: [container], schedulerName: "default-scheduler", ...(priority === undefined ? {} : { priority }), ...(node === undefined ? {} : { nodeName: node }), ...spec },
    status: { phase: "Pending", ...(startTime === undefined ? {} : { startTime }) },
  };
}

export const makePodInfo = (name: string, options: PodOptions = {}): PodInfo => new PodInfo(makePod(name, options));

export interface NodeOptions { cpu?: string; memory?: string; pods?: string; labels?: Record<string, string>; zone?: string; taints?: Taint[]; unschedulable?: boolean; images?: Record<string, number>; more?: Record<string, string> }

export function makeNode(name: string, { cpu = "4", memory = "16Gi", pods = "110", labels = {}, zone, taints, unschedulable, images, more = {} }: NodeOptions = {}): Node {
  return {
    apiVersion: "v1", kind: "Node",
    metadata: { name, uid: `uid-${name}`, labels: { "kubernetes.io/hostname": name, ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }), ...labels } },
    spec: { ...(taints === undefined ? {} : { taints }), ...(unschedulable === undefined ? {} : { unschedulable }) },
    status: { allocatable: { cpu, memory, pods, ...more }, ...(images === undefined ? {} : { images: Object.entries(images).map(([image, sizeBytes]) => ({ names: [image], sizeBytes })) }) },
  };
}

export interface World extends ScheduleDeps { readonly cache: ClusterCache; readonly clock: ManualClock }

/** A cluster of these nodes, with pods that are on them already (their `node`). */
export function makeWorld(nodes: readonly Node[], pods: readonly Pod[] = [], options: { owners?: LabelMatcher; volumes?: Partial<VolumeListers>; namespaces?: Record<string, Record<string, string>> } = {}): World {
  const clock = new ManualClock(), cache = new ClusterCache({ clock });
  for (const node of nodes) cache.setNode(node);
  for (const pod of pods) cache.setPod(new PodInfo(pod), pod.spec!.nodeName!);
  const cluster: Cluster = { cache, namespaceLabels: (name) => options.namespaces?.[name], selectorOfOwners: () => options.owners, volumes: { claim: () => undefined, volume: () => undefined, storageClass: () => undefined, ...options.volumes } };
  return { cache, clock, cluster, profile: DEFAULT_PROFILE, nominations: new Nominations(), random: () => 0, search: { start: 0 } };
}

export const decide = (pod: Pod, world: World): Decision => schedulePod(new PodInfo(pod), world);

/** The name of the node, or the sentence why there is none. */
export function verdict(pod: Pod, world: World): string {
  const decision = decide(pod, world);
  switch (decision.kind) {
    case "fits": return decision.node.name;
    case "no-nodes": return "no nodes";
    case "unfit": return fitErrorMessage(decision.diagnosis);
  }
}

/** Schedules and places pods one after another; returns how many each node got. */
export function fill(pods: readonly Pod[], world: World): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const pod of pods) {
    const decision = decide(pod, world);
    if (decision.kind !== "fits") throw new Error(`pod ${pod.metadata.name} fits nowhere: ${verdict(pod, world)}`);
    world.cache.assume(new PodInfo(pod), decision.node.name);
    counts[decision.node.name] = (counts[decision.node.name] ?? 0) + 1;
  }
  return counts;
}
