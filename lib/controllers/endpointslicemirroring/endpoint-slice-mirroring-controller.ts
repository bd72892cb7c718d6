/**
 * EndpointSlice mirroring: Endpoints that somebody wrote for a Service without a selector are shown as EndpointSlices, which is all that
 * proxies and DNS read.
 *
 * Promises: never decides on a cache older than its own writes; slices go when the Endpoints or the Service go, or when it gets a selector.
 * Counterpart: kubernetes `pkg/controller/endpointslicemirroring`.
 */
import { endpoints, services } from "../../api/schema/generated/references.ts";
import { Controller } from "../../runtime/controller.ts";
import type { EventSink } from "../../runtime/event-recorder.ts";
import type { Informer } from "../../runtime/informer.ts";
import { joinKey, keyOf } from "../../runtime/object-key.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { BEHIND_MS, OwnedSlices } from "../shared/owned-slices.ts";
import { isNamespaceTerminating } from "../shared/pod-control.ts";
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from "../shared/service-endpoints.ts";
import { mayMirror, MIRRORING_CONTROLLER, planMirror } from "./plan-mirror.ts";
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
  readonly #options: MirroringOptions;
  readonly #endpoints: Informer<Endpoints>;
  readonly #slices: OwnedSlices;
  readonly #services: Informer<Service>;
  readonly #recorder: EventSink;

  constructor(context: ControllerContext, options: MirroringOptions) {
    this.#options = options;
    this.#endpoints = context.informers.get(endpoints);
    this.#services = context.informers.get(services);
    this.#slices = new OwnedSlices(context, { index: MIRRORED_INDEX, ownerOf: shownBy, wake: (key) => this.controller.queue.add(key) });
    this.#recorder = context.recorder("endpoint-slice-mirroring-controller");
    this.controller = new Controller(context, {
      name: "endpointslice-mirroring-controller", workers: options.workers, waitFor: [this.#endpoints, this.#services, this.#slices.informer], reconcile: (key, signal) => this.#reconcile(key, signal),
    });
    this.#endpoints.onChange((change) => {
      if (mayMirror(change.object) || (change.type === "updated" && mayMirror(change.old))) this.controller.queue.addAfter(keyOf(change.object), options.batchMs);
    });
    this.#services.onChange((change) => {
      if (isWithoutSelector(change.object) || (change.type === "updated" && isWithoutSelector(change.old))) this.controller.queue.add(keyOf(change.object));
    });
  }

  async #reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    const source = this.#endpoints.get(key), service = this.#services.get(key), existing = this.#slices.existing(key);
    if (source === undefined || !mayMirror(source) || service === undefined || !isWithoutSelector(service)) {
      this.#slices.forget(key);
      for (const slice of existing) await this.#slices.delete(slice, signal);
      return {};
    }
    if (this.#slices.isBehind(key)) return { requeueAfterMs: BEHIND_MS };
    const { addressesMax } = this.#options, plan = planMirror(source, existing, addressesMax);
    if (plan.invalid > 0) this.#recorder.event(source, "Warning", "InvalidIPAddress", `Skipped ${plan.invalid} invalid IP addresses when mirroring to EndpointSlices`);
    if (plan.beyond > 0) this.#recorder.event(source, "Warning", "TooManyAddressesToMirror", `A max of ${addressesMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${plan.beyond + plan.invalid} addresses were skipped`);
    try { await this.#slices.write(key, source.metadata.deletionTimestamp === undefined ? plan : { ...plan, create: [] }, signal); }
    catch (error) { if (!isNamespaceTerminating(error)) throw error; }
    return {};
  }
}
