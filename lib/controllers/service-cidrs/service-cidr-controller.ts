/**
 * ServiceCIDRs: a range is told ready, and stays while Services have addresses that are in no other.
 * Counterpart: kubernetes `pkg/controller/servicecidrs`.
 */
import { ipaddresses, servicecidrs } from "../../api/schema/generated/references.ts";
import type { Condition, IPAddress, ServiceCIDR } from "../../api/schema/generated/models.ts";
import { ALLOCATOR, MANAGED_BY_LABEL } from "../../api/helpers/ip-address-labels.ts";
import { timestampMs, toTimestamp } from "../../api/helpers/timestamps.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";
import { containing, mayGo, overlap } from "./plan-deletion.ts";

const NAME = "service-cidr-controller", FINALIZER = "networking.k8s.io/service-cidr-finalizer";
const MANAGED_SELECTOR = `${MANAGED_BY_LABEL}=${ALLOCATOR}`;
/** Who gives out addresses may not have heard of the deletion yet. */
const LEAVING_GRACE_MS = 10_000;
const IN_USE = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";

export function createServiceCidrController(context: ControllerContext, { workers }: { workers: number }): Runnable {
  const { client, clock, informers } = context, ranges = informers.get(servicecidrs), addresses = informers.get(ipaddresses, { labelSelector: MANAGED_SELECTOR });

  async function setReady({ metadata: { name }, status }: ServiceCIDR, wanted: Pick<Condition, "status" | "reason" | "message">, signal: AbortSignal): Promise<void> {
    const found = status?.conditions?.find(({ type }) => type === "Ready");
    if (found?.status === wanted.status && found.reason === wanted.reason && found.message === wanted.message) return;
    const condition = { type: "Ready", ...wanted, lastTransitionTime: toTimestamp(clock.now()) };
    await client.patch(servicecidrs, { name }, "apply", { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name }, status: { conditions: [condition] } }, { subresource: "status", fieldManager: NAME, force: true }, signal);
  }

  async function leave(range: ServiceCIDR, signal: AbortSignal): Promise<{ requeueAfterMs?: number }> {
    if (!mayGo(range, ranges.list(), addresses.list())) {
      await setReady(range, { status: "False", reason: "Terminating", message: IN_USE }, signal);
      return {};
    }
    const leftMs = LEAVING_GRACE_MS - (clock.now().getTime() - (timestampMs(range.metadata.deletionTimestamp) ?? 0));
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    if (range.metadata.finalizers?.includes(FINALIZER) === true) await client.patch(servicecidrs, range.metadata, "strategic", { metadata: { "$deleteFromPrimitiveList/finalizers": [FINALIZER] } }, {}, signal);
    return {};
  }

  const controller = new Controller(context, {
    name: NAME, workers, waitFor: [ranges, addresses],
    async reconcile(name, signal) {
      const range = ranges.get(name);
      if (range === undefined) return {};
      try {
        if (range.metadata.deletionTimestamp !== undefined) return await leave(range, signal);
        if (range.metadata.finalizers?.includes(FINALIZER) !== true) await client.patch(servicecidrs, { name }, "strategic", { metadata: { finalizers: [FINALIZER] } }, {}, signal);
        if (range.status?.conditions?.find(({ type }) => type === "Ready")?.status !== "True") await setReady(range, { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" }, signal);
      } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  ranges.onChange(({ type, object }) => {
    controller.queue.add(object.metadata.name);
    // Another range may let one go, or hold it no more.
    if (type !== "updated") for (const each of ranges.list()) if (overlap(each, object)) controller.queue.add(each.metadata.name);
  });
  addresses.onChange(({ type, object }: { type: string; object: IPAddress }) => { if (type !== "updated") for (const range of containing(object, ranges.list())) if (range.metadata.deletionTimestamp !== undefined) controller.queue.add(range.metadata.name); });
  return controller;
}
