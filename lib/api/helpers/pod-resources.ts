/**
 * What the containers of a pod ask for and may use together, sidecars and init containers counted as they overlap.
 * Counterpart: component-helpers `resource` (without overhead and pod-level resources).
 */
import { addQuantity, compareQuantity, formatQuantity, type Quantity } from "../quantity.ts";
import type { Container, PodSpec } from "../schema/generated/models.ts";

type Amounts = Map<string, Quantity | string>;

function add(to: Amounts, from: Readonly<Record<string, string>> | Amounts | undefined): void {
  if (from === undefined) return;
  for (const [name, amount] of from instanceof Map ? from : Object.entries(from)) {
    const held = to.get(name);
    to.set(name, held === undefined ? amount : addQuantity(held, amount));
  }
}
function raise(to: Amounts, from: Amounts): void {
  for (const [name, amount] of from) {
    const held = to.get(name);
    if (held === undefined || compareQuantity(amount, held) > 0) to.set(name, amount);
  }
}

export const isSidecar = (container: Container): boolean => container.restartPolicy === "Always";

function aggregate(spec: PodSpec, of: (container: Container) => Readonly<Record<string, string>> | undefined): Record<string, string> {
  const total: Amounts = new Map(), sidecars: Amounts = new Map(), initPeak: Amounts = new Map();
  for (const container of spec.containers ?? []) add(total, of(container));
  for (const container of spec.initContainers ?? []) {
    const running: Amounts = new Map();
    if (isSidecar(container)) {
      add(total, of(container));
      add(sidecars, of(container));
    } else add(running, of(container));
    add(running, sidecars);
    raise(initPeak, running);
  }
  raise(total, initPeak);
  return Object.fromEntries([...total].map(([name, amount]) => [name, typeof amount === "string" ? amount : formatQuantity(amount)]));
}

/** Requests of all containers together: the most that is asked for at any one time. */
export const aggregateContainerRequests = (spec: PodSpec): Record<string, string> => aggregate(spec, (container) => container.resources?.requests);
export const aggregateContainerLimits = (spec: PodSpec): Record<string, string> => aggregate(spec, (container) => container.resources?.limits);
