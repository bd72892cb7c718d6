/**
 * EndpointSlice mirroring: Endpoints that somebody wrote for a Service without a selector are shown as EndpointSlices, which is all that
 * proxies and DNS read.
 *
 * Promises: never decides on a cache older than its own writes; slices go when the Endpoints or the Service go, or when it gets a selector.
 * Counterpart: kubernetes `pkg/controller/endpointslicemirroring`.
 */
import { endpoints, endpointslices, services } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Informer } from "../../runtime/informer.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../shared/service-endpoints.ts";
import { SliceTracker } from "../shared/slice-tracker.ts";
import { mayMirror, MIRRORING_CONTROLLER, planMirror, type MirrorPlan } from "./plan-mirror.ts";
import type { Endpoints, EndpointSlice, Service } from "../../api/schema/generated/models.ts";

const MIRRORED_INDEX = "mirrored";

export interface MirroringOptions { readonly workers: number; /** Addresses of one subset that are shown. */ readonly addressesMax: number; /** Waits this long after Endpoints changed, to gather more. */ readonly batchMs: number }

export const createEndpointSliceMirroringController = (context: ControllerContext, options: MirroringOptions): Runnable => new Mirroring(context, options).controller;

/** The Endpoints a slice of this controller shows. */
function shownBy({ metadata: { namespace, labels } }: EndpointSlice): string | undefined {
  const name = labels?.[SERVICE_NAME_LABEL];
  return labels?.[MANAGED_BY_LABEL] === MIRRORING_CONTROLLER && name !== undefined ? joinKey(namespace, name) : undefined;
}
const isWithoutSelector = (service: Service): boolean => service.spec.selector === undefined;

class Mirroring {
  readonly controller: Controller;
  readonly #context: ControllerContext;
  readonly #options: MirroringOptions;
  readonly #endpoints: Informer<Endpoints>;
  readonly #slices: Informer<EndpointSlice>;
  readonly #services: Informer<Service>;
  readonly #recorder: EventSink;
  readonly #tracker = new SliceTracker();
  /** Endpoints waiting for the cache to catch up. */
  readonly #waiting = new Set<string>();

  constructor(context: ControllerContext, options: MirroringOptions) {
    this.#context = context;
    this.#options = options;
    this.#endpoints = context.informers.get(endpoints);
    this.#services = context.informers.get(services);
    this.#slices = context.informers.get(endpointslices, { indexes: { [MIRRORED_INDEX]: (slice: EndpointSlice) => { const key = shownBy(slice); return key === undefined ? [] : [key]; } } });
    this.#recorder = context.recorder("endpoint-slice-mirroring-controller");
    this.controller = new Controller(context, {
      name: "endpointslice-mirroring-controller", workers: options.workers, waitFor: [this.#endpoints, this.#services, this.#slices], reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#endpoints.onChange((change) => {
      if (mayMirror(change.object) || (change.type === "updated" && mayMirror(change.old))) this.controller.queue.addAfter(keyOf(change.object), options.batchMs);
    });
    this.#services.onChange((change) => {
      if (isWithoutSelector(change.object) || (change.type === "updated" && isWithoutSelector(change.old))) this.controller.queue.add(keyOf(change.object));
    });
    this.#slices.onChange(({ type, object }) => {
      const key = shownBy(object);
      if (key !== undefined && (this.#waiting.has(key) || type === "deleted" || !this.#tracker.isOurs(key, object))) this.controller.queue.add(key);
    });
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const source = this.#endpoints.get(key), service = this.#services.get(key), existing = this.#slices.byIndex(MIRRORED_INDEX, key).filter((slice) => slice.metadata.deletionTimestamp === undefined);
    this.#waiting.delete(key);
    if (source === undefined || !mayMirror(source) || service === undefined || !isWithoutSelector(service)) {
      this.#tracker.forget(key);
      for (const slice of existing) await this.#delete(slice, signal);
      return {};
    }
    if (this.#tracker.isStale(key, (name) => this.#slices.get(joinKey(source.metadata.namespace, name)))) {
      this.#waiting.add(key);
      return { requeueAfterMs: 5_000 }; // The event we wait for looks sooner.
    }
    const { addressesMax } = this.#options, plan = planMirror(source, existing, addressesMax);
    if (plan.invalid > 0) this.#recorder.event(source, "Warning", "InvalidIPAddress", `Skipped ${plan.invalid} invalid IP addresses when mirroring to EndpointSlices`);
    if (plan.beyond > 0) this.#recorder.event(source, "Warning", "TooManyAddressesToMirror", `A max of ${addressesMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${plan.beyond + plan.invalid} addresses were skipped`);
    try { await this.#apply(key, source, plan, signal); }
    catch (error) { if (!isNamespaceTerminating(error)) throw error; }
    return {};
  }

  async #apply(key: string, source: Endpoints, plan: MirrorPlan, signal: AbortSignal): Promise<void> {
    const { client } = this.#context;
    if (source.metadata.deletionTimestamp === undefined) for (const slice of plan.create) this.#tracker.wrote(key, await client.create(endpointslices, slice, {}, signal));
    for (const slice of plan.update) this.#tracker.wrote(key, await client.update(endpointslices, slice, {}, signal));
    for (const slice of plan.delete) { await this.#delete(slice, signal); this.#tracker.deleted(key, slice); }
  }

  async #delete(slice: EndpointSlice, signal: AbortSignal): Promise<void> {
    try { await this.#context.client.delete(endpointslices, slice.metadata, {}, signal); }
    catch (error) { if (!hasReason(error, "NotFound")) throw error; }
  }
}
