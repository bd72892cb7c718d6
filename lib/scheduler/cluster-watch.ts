/**
 * Keeps cache, queue and nominations in step with what informers tell. Every handler is synchronous, so a cycle never sees half a change.
 * Counterpart: scheduler `eventhandlers.go`.
 */
import { semanticEqual } from "../api/semantic-equal.ts";
import type { Namespace, Node, Pod } from "../api/schema/generated/models.ts";
import type { Change } from "../runtime/informer.ts";
import type { Logger } from "../util/logger.ts";
import type { ClusterCache } from "./cache/cluster-cache.ts";
import { PodInfo } from "./cache/pod-info.ts";
import type { Nominations } from "./framework/nominations.ts";
import { nodeAspects } from "./queue/cluster-event.ts";
import type { SchedulingQueue } from "./queue/scheduling-queue.ts";

export interface ClusterWatchDeps {
  readonly cache: ClusterCache;
  readonly queue: SchedulingQueue;
  readonly nominations: Nominations;
  readonly log: Logger;
  /** The name pods ask for in `spec.schedulerName`. */
  readonly schedulerName: string;
}

const uidOf = (pod: Pod): string => pod.metadata.uid ?? `${pod.metadata.namespace}/${pod.metadata.name}`;
const nodeOf = (pod: Pod): string => pod.spec?.nodeName ?? "";
const isDone = (pod: Pod): boolean => pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

export class ClusterWatch {
  readonly #deps: ClusterWatchDeps;
  constructor(deps: ClusterWatchDeps) { this.#deps = deps; }

  readonly onPod = (change: Change<Pod>): void => {
    const { object: pod } = change;
    if (change.type === "deleted" || isDone(pod)) return this.#podGone(pod);
    if (nodeOf(pod) === "") this.#waiting(pod, change.type === "updated" ? change.old : undefined);
    else this.#assigned(pod);
  };

  readonly onNode = (change: Change<Node>): void => {
    const { cache, queue } = this.#deps, { object: node } = change;
    if (change.type === "deleted") {
      cache.removeNode(node.metadata.name);
      return queue.tell({ kind: "node-deleted", node });
    }
    cache.setNode(node);
    if (change.type === "added") return queue.tell({ kind: "node-added", node });
    const aspects = nodeAspects(change.old, node);
    if (aspects.size > 0) queue.tell({ kind: "node-updated", node, old: change.old, aspects });
  };

  readonly onNamespace = (change: Change<Namespace>): void => {
    if (change.type === "updated" && semanticEqual(change.old.metadata.labels, change.object.metadata.labels)) return;
    this.#deps.queue.tell({ kind: "namespace-changed", namespace: change.object.metadata.name });
  };

  /** Claims, volumes, storage classes. */
  readonly onVolume = (): void => this.#deps.queue.tell({ kind: "volume-changed" });

  #waiting(pod: Pod, old: Pod | undefined): void {
    const { cache, queue, nominations, schedulerName } = this.#deps, uid = uidOf(pod);
    if ((pod.spec?.schedulerName ?? "default-scheduler") !== schedulerName || cache.isAssumed(uid)) return;
    const info = new PodInfo(pod), nominated = pod.status?.nominatedNodeName ?? "";
    if (nominated !== (old?.status?.nominatedNodeName ?? "")) { // Else what we promised meanwhile is newer than what the watch tells.
      if (nominated === "") nominations.delete(uid);
      else nominations.set(info, nominated);
    }
    queue.update(info);
  }

  #assigned(pod: Pod): void {
    const { cache, queue, nominations, log } = this.#deps, info = new PodInfo(pod), node = nodeOf(pod), before = cache.placement(info.uid);
    queue.delete(info.uid);
    nominations.delete(info.uid);
    if (before !== undefined && before.node !== node) log.warn({ pod: info.key, assumed: before.node, actual: node }, "pod is on another node than decided");
    const wasAssumed = cache.isAssumed(info.uid);
    cache.setPod(info, node);
    if (before === undefined || wasAssumed) queue.tell({ kind: "assigned-pod-added", pod: info, node });
    else if (!semanticEqual(before.pod.labels, info.labels) || !semanticEqual([...before.pod.requests], [...info.requests]) || before.pod.isTerminating !== info.isTerminating) {
      queue.tell({ kind: "assigned-pod-updated", pod: info, old: before.pod, node });
    }
  }

  #podGone(pod: Pod): void {
    const { cache, queue, nominations } = this.#deps, uid = uidOf(pod), placed = cache.placement(uid);
    queue.delete(uid);
    const promised = nominations.nodeOf(uid);
    nominations.delete(uid);
    cache.removePod(uid);
    if (placed !== undefined) queue.tell({ kind: "assigned-pod-deleted", pod: placed.pod, node: placed.node });
    else if (promised !== undefined) queue.tell({ kind: "assigned-pod-deleted", pod: new PodInfo(pod), node: promised }); // Its promised place is free.
  }
}
