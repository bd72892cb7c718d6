/**
 * EndpointSlice controller: keeps the slices of every Service with a selector in step with its pods.
 *
 * Promises: never decides on a cache older than its own writes; a change of a pod that endpoints do not show costs nothing.
 * Counterpart: kubernetes `pkg/controller/endpointslice`. The CPU-proportional topology mode is told to be unsupported by an event.
 */
import { nodes, services } from "../../api/schema/generated/references.ts";
import { Controller } from "../../runtime/controller.ts";
import { joinKey, keyOf, splitKey } from "../../runtime/object-key.ts";
import { BEHIND_MS, OwnedSlices } from "../shared/owned-slices.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { podInformer } from "../shared/pod-indexes.ts";
import { endpointFacts, hasSelector, MANAGED_BY_LABEL, selectsPod, SERVICE_NAME_LABEL } from "../shared/service-endpoints.ts";
import { TriggerTimes } from "../shared/trigger-time.ts";
import { CONTROLLER_NAME, planSlices } from "./plan-slices.ts";
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
  readonly #options: EndpointSliceOptions;
  readonly #services: Informer<Service>;
  readonly #slices: OwnedSlices;
  readonly #pods: Informer<Pod>;
  readonly #nodes: Informer<Node>;
  readonly #recorder: EventSink;
  readonly #triggers = new TriggerTimes();

  constructor(context: ControllerContext, options: EndpointSliceOptions) {
    this.#options = options;
    this.#services = context.informers.get(services);
    this.#slices = new OwnedSlices(context, { index: SERVICE_INDEX, ownerOf: serviceKeyOf, wake: (key) => this.controller.queue.add(key) });
    this.#pods = podInformer(context.informers);
    this.#nodes = context.informers.get(nodes);
    this.#recorder = context.recorder("endpoint-slice-controller");
    this.controller = new Controller(context, {
      name: "endpointslice-controller", workers: options.workers, waitFor: [this.#services, this.#slices.informer, this.#pods, this.#nodes], reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#services.onChange(({ object }) => this.controller.queue.add(keyOf(object)));
    this.#pods.onChange((change) => {
      if (change.type !== "updated") { this.#enqueueFor(change.object); return; }
      if (endpointFacts(change.old) === endpointFacts(change.object)) return;
      this.#enqueueFor(change.old);
      this.#enqueueFor(change.object);
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
    if (service === undefined) { this.#slices.forget(key); this.#triggers.forget(key); return {}; } // The garbage collector deletes its slices.
    if (!hasSelector(service)) return {};
    if (this.#slices.isBehind(key)) return { requeueAfterMs: BEHIND_MS };
    if (TOPOLOGY_MODE_ANNOTATIONS.some((name) => /^auto$/i.test(service.metadata.annotations?.[name] ?? ""))) {
      this.#recorder.event(service, "Warning", "TopologyAwareHintsDisabled", "Topology mode Auto is not supported: use spec.trafficDistribution");
    }
    const pods = this.#pods.list(service.metadata.namespace).filter((pod) => selectsPod(service, pod));
    const unknownNode = pods.find((pod) => (pod.spec.nodeName ?? "") !== "" && this.#nodes.get(pod.spec.nodeName!) === undefined);
    // A pod of a node we do not know has no zone yet; it must not be told without unless its Service publishes everything.
    const known = service.spec.publishNotReadyAddresses === true ? pods : pods.filter((pod) => (pod.spec.nodeName ?? "") === "" || this.#nodes.get(pod.spec.nodeName!) !== undefined);
    const plan = planSlices({ service, pods: known, nodeOf: (name) => this.#nodes.get(name), existing: this.#slices.existing(key), endpointsMax: this.#options.endpointsMax, triggerMs: this.#triggers.take(service, pods) });
    const isLeaving = this.#services.get(key)?.metadata.deletionTimestamp !== undefined;
    try { await this.#slices.write(key, isLeaving ? { ...plan, create: [] } : plan, signal); }
    catch (error) {
      if (isNamespaceTerminating(error)) return {};
      const { namespace, name } = splitKey(key);
      this.#recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", `Error updating Endpoint Slices for Service ${namespace}/${name}: ${(error as Error).message}`);
      throw error;
    }
    return unknownNode === undefined ? {} : { requeueAfterMs: 1_000 };
  }
}
