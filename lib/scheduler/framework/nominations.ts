/**
 * Places promised to pods that preempted for them: until such a pod is bound, others must reckon with it.
 * Counterpart: scheduler `backend/queue/nominator.go`.
 */
import type { PodInfo } from "../cache/pod-info.ts";

export class Nominations {
  readonly #byNode = new Map<string, Map<string, PodInfo>>();
  readonly #nodeOf = new Map<string, string>();

  /** Promises the node to the pod, instead of any other before. */
  set(pod: PodInfo, node: string): void {
    this.delete(pod.uid);
    this.#nodeOf.set(pod.uid, node);
    const pods = this.#byNode.get(node);
    if (pods === undefined) this.#byNode.set(node, new Map([[pod.uid, pod]]));
    else pods.set(pod.uid, pod);
  }

  delete(uid: string): void {
    const node = this.#nodeOf.get(uid);
    if (node === undefined) return;
    this.#nodeOf.delete(uid);
    const pods = this.#byNode.get(node)!;
    pods.delete(uid);
    if (pods.size === 0) this.#byNode.delete(node);
  }

  nodeOf(uid: string): string | undefined { return this.#nodeOf.get(uid); }

  /** Pods promised the node that the given pod may not push aside. */
  atLeastAsImportant(node: string, pod: PodInfo): readonly PodInfo[] {
    const pods = this.#byNode.get(node);
    return pods === undefined ? NONE : [...pods.values()].filter((other) => other.uid !== pod.uid && other.priority >= pod.priority);
  }

  /** Pods promised the node that the given pod may push aside. */
  lessImportant(node: string, pod: PodInfo): readonly PodInfo[] {
    return [...(this.#byNode.get(node)?.values() ?? [])].filter((other) => other.priority < pod.priority);
  }
}

const NONE: readonly PodInfo[] = [];
