/**
 * What a pod asks of a node, as the scheduler and the kubelet's admission count it: the most that is asked for at any one time,
 * init containers, sidecars, pod-level resources, overhead and a running resize included.
 * Amounts are numbers: thousandths of a core for `cpu`, whole units for everything else, rounded up.
 * Counterpart: component-helpers `resource.PodRequests`.
 */
import { milliValue, quantityValue } from "../quantity.ts";
import type { Container, ContainerStatus, Pod } from "../schema/generated/models.ts";
import { isSidecar } from "./pod-resources.ts";
import { isPodLevelResourceName } from "./resource-names.ts";

export type Amounts = Map<string, number>;

export interface PodRequestsOptions {
  /** Counted for a container that names no request of the resource. */
  readonly missing?: Readonly<Record<string, number>>;
  /** Count what the node has given a container where that is more than the spec asks: a resize on its way down still holds it. */
  readonly useStatus?: boolean;
}

const PARSED_MAX = 4_096;
const parsed = new Map<string, number>();

/** The amount a quantity text means for a resource. Texts repeat a lot, so the last few thousand are kept. */
export function resourceAmount(resource: string, quantity: string): number {
  const isCpu = resource === "cpu", key = isCpu ? `cpu ${quantity}` : quantity;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const amount = isCpu ? milliValue(quantity) : quantityValue(quantity);
  if (parsed.size >= PARSED_MAX) parsed.clear();
  parsed.set(key, amount);
  return amount;
}

/** All amounts of a resource list. */
export function resourceAmounts(list: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Amounts = new Map();
  if (list !== undefined) for (const resource of Object.keys(list)) amounts.set(resource, resourceAmount(resource, list[resource]!));
  return amounts;
}

function add(to: Amounts, from: Amounts): void { for (const [resource, amount] of from) to.set(resource, (to.get(resource) ?? 0) + amount); }
function raise(to: Amounts, from: Amounts): void { for (const [resource, amount] of from) if (amount > (to.get(resource) ?? 0)) to.set(resource, amount); }

function containerRequests(container: Container, status: ContainerStatus | undefined, infeasible: boolean, missing: Readonly<Record<string, number>>): Amounts {
  const amounts = resourceAmounts(container.resources?.requests);
  if (status !== undefined) {
    const held = resourceAmounts(status.resources?.requests);
    raise(held, resourceAmounts(status.allocatedResources));
    if (infeasible && status.allocatedResources !== undefined) { amounts.clear(); raise(amounts, held); }
    else raise(amounts, held);
  }
  for (const resource of Object.keys(missing)) if (!amounts.has(resource)) amounts.set(resource, missing[resource]!);
  return amounts;
}

/** A resize that the node can never grant: what it holds counts, not what was asked. */
const isResizeInfeasible = (pod: Pod): boolean => pod.status?.conditions?.some((c) => c.type === "PodResizePending" && c.reason === "Infeasible") === true;

/** The pod's effective requests. */
export function podRequests(pod: Pod, options: PodRequestsOptions = {}): Amounts {
  const { spec, status } = pod, total: Amounts = new Map(), sidecars: Amounts = new Map(), initPeak: Amounts = new Map();
  if (spec === undefined) return total;
  const missing = options.missing ?? {}, infeasible = options.useStatus === true && isResizeInfeasible(pod);
  const statusOf = (name: string, list: readonly ContainerStatus[] | undefined): ContainerStatus | undefined => (options.useStatus === true ? list?.find((s) => s.name === name) : undefined);
  for (const container of spec.containers ?? []) add(total, containerRequests(container, statusOf(container.name, status?.containerStatuses), infeasible, missing));
  for (const container of spec.initContainers ?? []) {
    const own = containerRequests(container, statusOf(container.name, status?.initContainerStatuses), infeasible, missing);
    if (isSidecar(container)) { add(total, own); add(sidecars, own); raise(initPeak, sidecars); continue; }
    add(own, sidecars); // It starts while the sidecars before it run.
    raise(initPeak, own);
  }
  raise(total, initPeak);
  for (const [resource, quantity] of Object.entries(spec.resources?.requests ?? {})) if (isPodLevelResourceName(resource)) total.set(resource, resourceAmount(resource, quantity));
  add(total, resourceAmounts(spec.overhead));
  return total;
}
