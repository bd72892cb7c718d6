/** The quality-of-service class of a pod. Counterpart: kubernetes `apis/core/helper/qos`. */
import { addQuantity, compareQuantity, type Quantity } from "../quantity.ts";
import type { Pod, PodSpec, ResourceRequirements } from "../schema/generated/models.ts";

export type QosClass = "Guaranteed" | "Burstable" | "BestEffort";
const COUNTED = ["cpu", "memory"] as const;
type Sums = Partial<Record<(typeof COUNTED)[number], Quantity | string>>;

/** Adds what is above zero; returns how many of cpu and memory were. */
function addAmounts(sums: Sums, amounts: Readonly<Record<string, string>> | undefined): number {
  let found = 0;
  if (amounts === undefined) return found;
  for (const name of COUNTED) {
    const amount = amounts[name];
    if (amount === undefined || compareQuantity(amount, "0") <= 0) continue;
    const held = sums[name];
    sums[name] = held === undefined ? amount : addQuantity(held, amount);
    found++;
  }
  return found;
}

/** Computed from the spec alone: containers and init containers, or the pod's own resources where it has some. */
export function computePodQos(spec: PodSpec): QosClass {
  const requests: Sums = {}, limits: Sums = {};
  let isGuaranteed = true;
  const add = (resources: ResourceRequirements | undefined): void => {
    addAmounts(requests, resources?.requests);
    if (addAmounts(limits, resources?.limits) < COUNTED.length) isGuaranteed = false;
  };
  if (spec.resources !== undefined && (spec.resources.requests !== undefined || spec.resources.limits !== undefined)) add(spec.resources);
  else {
    for (const container of spec.containers ?? []) add(container.resources);
    for (const container of spec.initContainers ?? []) add(container.resources);
  }
  if (Object.keys(requests).length === 0 && Object.keys(limits).length === 0) return "BestEffort";
  if (!isGuaranteed || Object.keys(requests).length !== Object.keys(limits).length) return "Burstable";
  return COUNTED.every((name) => {
    const request = requests[name], limit = limits[name];
    return request === undefined || (limit !== undefined && compareQuantity(request, limit) === 0);
  }) ? "Guaranteed" : "Burstable";
}

/** As told in the status, else computed. */
export const podQos = (pod: Pod): QosClass => (pod.status?.qosClass as QosClass | undefined) ?? computePodQos(pod.spec ?? { containers: [] });
