/**
 * Taint eviction: deletes pods whose node bears a NoExecute taint they do not tolerate, or no longer do.
 * Counterpart: kubernetes `pkg/controller/tainteviction/taint_eviction.go`.
 */
import { isPodTerminating } from "../../api/helpers/pod-status.ts";
import { evicts } from "../../api/helpers/tolerations.ts";
import { nodes, pods } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { keyOf } from "../../runtime/object-key.ts";
import { markDisrupted } from "../shared/disruption-condition.ts";
import { NODE_INDEX, podInformer } from "../shared/pod-indexes.ts";
import { evictionDueMs } from "./plan-eviction.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export function createTaintEvictionController(context: ControllerContext, options: { workers: number }): Runnable {
  const { client, clock } = context, nodeInformer = context.informers.get(nodes), podsByNode = podInformer(context.informers);
  const recorder = context.recorder("taint-eviction-controller");
  /** Pods whose time runs. */
  const scheduled = new Set<string>();

  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const pod = podsByNode.get(key);
    if (pod === undefined || isPodTerminating(pod)) { scheduled.delete(key); return {}; }
    const nowMs = clock.now().getTime(), dueMs = evictionDueMs(pod, nodeInformer.get(pod.spec.nodeName ?? "")?.spec.taints ?? [], nowMs);
    if (dueMs === undefined) {
      if (scheduled.delete(key)) recorder.event(pod, "Normal", "TaintManagerEviction", `Cancelling deletion of Pod ${key}`);
      return {};
    }
    if (dueMs > nowMs) { scheduled.add(key); return { requeueAfterMs: dueMs - nowMs }; }
    recorder.event(pod, "Normal", "TaintManagerEviction", `Marking for deletion Pod ${key}`);
    try {
      await markDisrupted(client, pod, { reason: "DeletionByTaintManager", message: "Taint manager: deleting due to NoExecute taint" }, clock.now(), signal);
      await client.delete(pods, pod.metadata, pod.metadata.uid === undefined ? {} : { preconditions: { uid: pod.metadata.uid } }, signal);
    } catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
    scheduled.delete(key);
    return {};
  };
  const controller = new Controller(context, { name: "taint-eviction-controller", workers: options.workers, waitFor: [nodeInformer, podsByNode], reconcile });

  const text = (node: Node): string => JSON.stringify((node.spec.taints ?? []).filter(evicts));
  nodeInformer.onChange((change) => {
    if (change.type === "deleted" || (change.type === "updated" && text(change.old) === text(change.object)) || (change.type === "added" && text(change.object) === "[]")) return;
    for (const pod of podsByNode.byIndex(NODE_INDEX, change.object.metadata.name)) controller.queue.add(keyOf(pod));
  });
  podsByNode.onChange((change) => {
    if (change.type === "deleted") { scheduled.delete(keyOf(change.object)); return; }
    if ((change.object.spec.nodeName ?? "") === "") return;
    if (change.type === "updated" && change.old.spec.nodeName === change.object.spec.nodeName && JSON.stringify(change.old.spec.tolerations) === JSON.stringify(change.object.spec.tolerations)) return;
    controller.queue.add(keyOf(change.object));
  });
  return controller;
}
