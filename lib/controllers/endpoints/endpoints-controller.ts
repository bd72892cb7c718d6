/**
 * Endpoints controller: the older form of endpoints, one object a Service. Counterpart: kubernetes `pkg/controller/endpoint`.
 */
import { endpoints, services } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { keyOf, splitKey } from "../../runtime/object-key.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { endpointFacts, hasSelector, selectsPod } from "../shared/service-endpoints.ts";
import { TriggerTimes } from "../shared/trigger-time.ts";
import { ENDPOINTS_MANAGED_BY_LABEL, planEndpoints } from "./plan-endpoints.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { Pod } from "../../api/schema/generated/models.ts";
import type { Runnable } from "../../util/runnable.ts";

export function createEndpointsController(context: ControllerContext, options: { workers: number; batchMs: number }): Runnable {
  const { client } = context, spaces = context.informers.get(services), known = context.informers.get(endpoints), pods = podInformer(context.informers);
  const recorder = context.recorder("endpoint-controller"), triggers = new TriggerTimes();
  /** Services seen to go: their Endpoints go with them, whoever made those. */
  const gone = new Set<string>();

  const reconcile = async (key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> => {
    const service = spaces.get(key), current = known.get(key);
    if (service === undefined) {
      triggers.forget(key);
      const went = gone.delete(key);
      // Endpoints that somebody made without a Service are theirs.
      if (current === undefined || !(went || ENDPOINTS_MANAGED_BY_LABEL in (current.metadata.labels ?? {}))) return {};
      try { await client.delete(endpoints, splitKey(key), { preconditions: current.metadata.uid === undefined ? {} : { uid: current.metadata.uid } }, signal); }
      catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
      return {};
    }
    if (!hasSelector(service)) return {};
    const selected = pods.list(service.metadata.namespace).filter((pod) => selectsPod(service, pod));
    const wanted = planEndpoints(service, selected, current, triggers.take(service, selected));
    if (wanted === undefined) return {};
    try { await (current === undefined ? client.create(endpoints, wanted, {}, signal) : client.update(endpoints, wanted, {}, signal)); }
    catch (error) {
      if (isNamespaceTerminating(error)) return {};
      if (!hasReason(error, "Conflict", "AlreadyExists")) recorder.event(current ?? service, "Warning", current === undefined ? "FailedToCreateEndpoint" : "FailedToUpdateEndpoint", `Failed to ${current === undefined ? "create endpoint for service" : "update endpoint"} ${key}: ${(error as Error).message}`);
      throw error;
    }
    return {};
  };
  const controller = new Controller(context, { name: "endpoints-controller", workers: options.workers, waitFor: [spaces, known, pods], reconcile });

  const enqueueFor = (pod: Pod): void => {
    for (const service of spaces.list(pod.metadata.namespace)) if (selectsPod(service, pod)) controller.queue.addAfter(keyOf(service), options.batchMs);
  };
  spaces.onChange(({ type, object }) => {
    if (type === "deleted") gone.add(keyOf(object));
    controller.queue.add(keyOf(object));
  });
  pods.onChange((change) => {
    if (change.type !== "updated") { enqueueFor(change.object); return; }
    if (endpointFacts(change.old) === endpointFacts(change.object)) return;
    enqueueFor(change.old);
    enqueueFor(change.object);
  });
  known.onChange(({ type, object }) => {
    if (type === "deleted") controller.queue.add(keyOf(object));
  });
  // Left over from Services that went while we were not watching.
  void Promise.all([spaces.synced, known.synced]).then(() => { for (const object of known.list()) if (spaces.get(keyOf(object)) === undefined) controller.queue.add(keyOf(object)); });
  return controller;
}
