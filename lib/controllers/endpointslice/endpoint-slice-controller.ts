/**
 * EndpointSlice controller: keeps the slices of every Service with a selector in step with its pods.
 *
 * Promises: never decides on a cache older than its own writes; a change of a pod that endpoints do not show costs nothing.
 * Counterpart: kubernetes `pkg/controller/endpointslice`. The CPU-proportional topology mode is told to be unsupported by an event.
 */
import { endpointslices, nodes, services } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf, splitKey } from "../../runtime/object-key.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { endpointFacts, hasSelector, MANAGED_BY_LABEL, selectsPod, SERVICE_NAME_LABEL } from "../shared/service-endpoints.ts";
import { SliceTracker } from "../shared/slice-tracker.ts";
import { TriggerTimes } from "../shared/trigger-time.ts";
import { CONTROLLER_NAME, planSlices, type SlicePlan } from "./plan-slices.ts";
import type { ControllerContext } from "../shared/context.ts";
import type { EndpointSlice, Node, Pod, Service } from "../../api/schema/generated/models.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Informer } from "../../runtime/informer.ts";
import type { Runnable } from "../../util/runnable.ts";

const SERVICE_INDEX = "service";
const TOPOLOGY_MODE_ANNOTATIONS = ["service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"];
const ZONE_LABEL = "topology.kubernetes.io/zone";

export interface EndpointSliceOptions { readonly workers: number; readonly endpointsMax: number; /** Waits this long after a pod changed, to gather more. */ readonly batchMs: number }

export const createEndpointSliceController = (context: ControllerContext, options: EndpointSliceOptions): Runnable => new EndpointSlices(context, options).controller;

const serviceKeyOf = (slice: EndpointSlice): string | undefined =>
  slice.metadata.labels?.[MANAGED_BY_LABEL] === CONTROLLER_NAME && slice.metadata.labels[SERVICE_NAME_LABEL] !== undefined ? joinKey(slice.metadata.namespace, slice.metadata.labels[SERVICE_NAME_LABEL]) : undefined;

class EndpointSlices {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #options: EndpointSliceOptions;
  readonly #services: Informer<Service>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #recorder: EventSink;
  readonly #tracker = new SliceTracker();
  readonly #triggers = new TriggerTimes();
  /** Services waiting for the cache to catch up. */
  readonly #waiting = new Set<string>();

  constructor(context: ControllerContext, options: EndpointSliceOptions) {
    this.#context = context;
    this.#options = options;
    this.#services = context.informers.get(services);
    this.#slices = context.informers.get(endpointslices, { indexes: { [SERVICE_INDEX]: (slice: EndpointSlice) => { const key = serviceKeyOf(slice); return key === undefined ? [] : [key]; } } });
    this.#pods = podInformer(context.informers);
    this.#nodes = context.informers.get(nodes);
    this.#recorder = context.recorder("endpoint-slice-controller");
    this.controller = new Controller(context, {
      name: "endpointslice-controller", workers: options.workers, waitFor: [this.#services, this.#slices, this.#pods, this.#nodes], reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#services.onChange(({ object }) => this.controller.queue.add(keyOf(object)));
    this.#pods.onChange((change) => {
      if (change.type !== "updated") { this.#enqueueFor(change.object); return; }
      if (endpointFacts(change.old) === endpointFacts(change.object)) return;
      this.#enqueueFor(change.old);
      this.#enqueueFor(change.object);
    });
    this.#slices.onChange(({ type, object }) => {
      const key = serviceKeyOf(object);
      if (key === undefined) return;
      if (this.#waiting.has(key) || type === "deleted" || !this.#tracker.isOurs(key, object)) this.controller.queue.add(key);
    });
    this.#nodes.onChange((change) => {
      // Only zones show in endpoints; a node that is new may be what a pod's endpoint lacked.
      if (change.type === "deleted" || (change.type === "updated" && change.old.metadata.labels?.[ZONE_LABEL] === change.object.metadata.labels?.[ZONE_LABEL])) return;
      for (const service of this.#services.list()) if (hasSelector(service)) this.controller.queue.add(keyOf(service));
    });
  }

  #enqueueFor(pod: Pod): void {
    for (const service of this.#services.list(pod.metadata.namespace)) if (selectsPod(service, pod)) this.controller.queue.addAfter(keyOf(service), this.#options.batchMs);
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const service = this.#services.get(key);
    this.#waiting.delete(key);
    if (service === undefined) { this.#tracker.forget(key); this.#triggers.forget(key); return {}; } // The garbage collector deletes its slices.
    if (!hasSelector(service)) return {};
    if (this.#tracker.isStale(key, (name) => this.#slices.get(joinKey(service.metadata.namespace, name)))) {
      this.#waiting.add(key);
      return { requeueAfterMs: 5_000 }; // The event we wait for looks sooner.
    }
    if (TOPOLOGY_MODE_ANNOTATIONS.some((name) => /^auto$/i.test(service.metadata.annotations?.[name] ?? ""))) {
      this.#recorder.event(service, "Warning", "TopologyAwareHintsDisabled", "Topology mode Auto is not supported: use spec.trafficDistribution");
    }
    const pods = this.#pods.list(service.metadata.namespace).filter((pod) => selectsPod(service, pod));
    const unknownNode = pods.find((pod) => (pod.spec.nodeName ?? "") !== "" && this.#nodes.get(pod.spec.nodeName!) === undefined);
    // A pod of a node we do not know has no zone yet; it must not be told without unless its Service publishes everything.
    const known = service.spec.publishNotReadyAddresses === true ? pods : pods.filter((pod) => (pod.spec.nodeName ?? "") === "" || this.#nodes.get(pod.spec.nodeName!) !== undefined);
    const existing = this.#slices.byIndex(SERVICE_INDEX, key).filter((slice) => slice.metadata.deletionTimestamp === undefined);
    const plan = planSlices({ service, pods: known, nodeOf: (name) => this.#nodes.get(name), existing, endpointsMax: this.#options.endpointsMax, triggerMs: this.#triggers.take(service, pods) });
    try { await this.#apply(key, plan, signal); }
    catch (error) {
      if (isNamespaceTerminating(error)) return {};
      const { namespace, name } = splitKey(key);
      this.#recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", `Error updating Endpoint Slices for Service ${namespace}/${name}: ${(error as Error).message}`);
      throw error;
    }
    return unknownNode === undefined ? {} : { requeueAfterMs: 1_000 };
  }

  async #apply(key: string, plan: SlicePlan, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    if (this.#services.get(key)?.metadata.deletionTimestamp === undefined) {
      for (const slice of plan.create) this.#tracker.wrote(key, await client.create(endpointslices, slice, {}, signal));
    }
    for (const slice of plan.update) this.#tracker.wrote(key, await client.update(endpointslices, slice, {}, signal));
    for (const slice of plan.delete) {
      try { await client.delete(endpointslices, slice.metadata, {}, signal); this.#tracker.deleted(key, slice); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    }
  }
}
