/**
 * What a plugin is. One object a rule; in a cycle it looks at the pod and the cluster once (`beginFilter`, `beginScore`) and hands back
 * a closure that judges single nodes, so there is no state to look up by name. Everything is synchronous: a cycle sees one cluster.
 *
 * Counterpart: scheduler framework's PreFilter+Filter (`beginFilter`), PreFilterExtensions (`podAdded`, `podRemoved`),
 * PreScore+Score+NormalizeScore (`beginScore`), PreEnqueue and EventsToRegister with queueing hints (`mayHelp`).
 */
import type { ClusterCache } from "../cache/cluster-cache.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import type { NamespaceLabels, PodInfo } from "../cache/pod-info.ts";
import type { ClusterEvent } from "../queue/cluster-event.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/schema/generated/models.ts";
import type { LabelMatcher } from "../../api/helpers/label-selector.ts";

/** Highest score of a plugin before its weight. */
export const SCORE_MAX = 100;

/** Why a node cannot take the pod. */
export interface Rejection {
  /** Users read these; upstream's words. */
  readonly reasons: readonly string[];
  /** Whether removing pods from the node could never change it. */
  readonly isUnresolvable: boolean;
}

export const reject = (...reasons: string[]): Rejection => ({ reasons, isUnresolvable: false });
export const rejectForGood = (...reasons: string[]): Rejection => ({ reasons, isUnresolvable: true });

/** Claims by `namespace/name`, the others by name. */
export interface VolumeListers {
  claim(key: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

/** The cluster as plugins see it. */
export interface Cluster {
  readonly cache: ClusterCache;
  readonly namespaceLabels: NamespaceLabels;
  readonly volumes: VolumeListers;
  /** What the Services and the controller of a pod select, for default spreading; undefined when nothing does. */
  readonly selectorOfOwners: (pod: PodInfo) => LabelMatcher | undefined;
}

export interface FilterCycle {
  /** The only nodes worth looking at, by name. */
  readonly only?: ReadonlySet<string>;
  filter(node: NodeInfo): Rejection | undefined;
  /** The pod has been put on the node for the sake of argument (preemption, nominations): count it. */
  podAdded?(pod: PodInfo, node: NodeInfo): void;
  podRemoved?(pod: PodInfo, node: NodeInfo): void;
}

export interface ScoreCycle {
  /** Higher is better, unless `normalize` says otherwise. */
  score(node: NodeInfo): number;
  /** Brings raw scores into 0..SCORE_MAX, in place, in the order of the nodes. Absent: they are. */
  normalize?(scores: number[], nodes: readonly NodeInfo[]): void;
}

export interface Plugin {
  readonly name: string;
  /** A pod that must not enter the queue of pods to schedule yet, with upstream's reason. */
  gate?(pod: PodInfo): string | undefined;
  /** Undefined: the plugin has nothing against any node. A Rejection: no node at all can take the pod. */
  beginFilter?(pod: PodInfo, cluster: Cluster): FilterCycle | Rejection | undefined;
  /** Undefined: the plugin would score all nodes alike. */
  beginScore?(pod: PodInfo, nodes: readonly NodeInfo[], cluster: Cluster): ScoreCycle | undefined;
  /** Whether the event may let in a pod this plugin has rejected. */
  mayHelp?(event: ClusterEvent, pod: PodInfo): boolean;
}

export const isRejection = (result: FilterCycle | Rejection): result is Rejection => "reasons" in result;

/** Scales so that the highest becomes SCORE_MAX; `reverse` makes the lowest the best. */
export function normalizeByMax(scores: number[], reverse = false): void {
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  for (let i = 0; i < scores.length; i++) {
    const scaled = highest === 0 ? 0 : Math.trunc((SCORE_MAX * scores[i]!) / highest);
    scores[i] = reverse ? SCORE_MAX - scaled : scaled;
  }
}
