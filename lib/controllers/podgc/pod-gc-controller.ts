/**
 * Pod garbage collection: removes pods whose node is gone, finished ones beyond a threshold, and terminating ones nobody will finish.
 *
 * Promises: a node must be missing for ORPHAN_QUARANTINE_MS and then also be unknown to the server itself before its pods go.
 * Counterpart: kubernetes `pkg/controller/podgc/gc_controller.go`.
 */
import { nodes, pods } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { isAbort } from "../../util/abort.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { markDisrupted } from "../shared/disruption-condition.ts";
import { isPodTerminal } from "../../api/helpers/pod-status.ts";
import { planPodGc } from "./plan-pod-gc.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export const GC_PERIOD_MS = 20_000;
export const ORPHAN_QUARANTINE_MS = 40_000;

export function createPodGcController(context: ControllerContext, options: { terminatedThreshold: number }): Runnable {
  const { client, clock, log } = context, nodeInformer = context.informers.get(nodes), all = podInformer(context.informers);
  /** Since when (monotonic) a node is missing. */
  const missing = new Map<string, number>();

  const remove = async (pod: Pod, why: { reason: string; message: string } | undefined, signal: AbortSignal): Promise<void> => {
    try {
      // Nobody else will say that it has ended, and a Job counts it only then.
      if (why === undefined && !isPodTerminal(pod)) await client.patch(pods, pod.metadata, "strategic", { metadata: { uid: pod.metadata.uid }, status: { phase: "Failed" } }, { subresource: "status" }, signal);
      if (why !== undefined) await markDisrupted(client, pod, { ...why, failed: !isPodTerminal(pod) }, clock.now(), signal);
      await client.delete(pods, pod.metadata, { gracePeriodSeconds: 0, ...(pod.metadata.uid === undefined ? {} : { preconditions: { uid: pod.metadata.uid } }) }, signal);
      log.info({ pod: `${pod.metadata.namespace}/${pod.metadata.name}`, reason: why?.message }, "pod collected");
    } catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
  };
  const round = async (signal: AbortSignal): Promise<void> => {
    const plan = planPodGc(all.list(), (name) => nodeInformer.get(name), options.terminatedThreshold), nowMs = clock.monotonicMs();
    for (const name of missing.keys()) if (!plan.orphaned.has(name)) missing.delete(name);
    for (const [name, orphans] of plan.orphaned) {
      if (!missing.has(name)) missing.set(name, nowMs);
      if (nowMs - missing.get(name)! < ORPHAN_QUARANTINE_MS) continue;
      try { await client.get(nodes, { name }, signal); continue; }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      for (const pod of orphans) await remove(pod, { reason: "DeletionByPodGC", message: "PodGC: node no longer exists" }, signal);
    }
    for (const pod of plan.outOfService) await remove(pod, { reason: "DeletionByPodGC", message: "PodGC: node is out-of-service" }, signal);
    for (const pod of plan.unscheduled) await remove(pod, undefined, signal);
    for (const pod of plan.terminated) await remove(pod, undefined, signal);
  };
  return {
    name: "pod-garbage-collector-controller",
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (nodeInformer.hasSynced && all.hasSynced) await round(signal);
          await clock.sleep(GC_PERIOD_MS, signal);
        } catch (error) {
          if (isAbort(error, signal)) return;
          log.warn({ controller: "podgc", error }, "collecting pods failed, will retry");
          try { await clock.sleep(GC_PERIOD_MS, signal); } catch { return; }
        }
      }
    },
  };
}
