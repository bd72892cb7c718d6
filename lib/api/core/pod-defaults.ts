/** Defaults of a pod that a template of one does not get. Counterpart: `SetDefaults_Pod` in kubernetes `apis/core/v1/defaults.go`. */
import { aggregateContainerLimits, aggregateContainerRequests } from "../helpers/pod-resources.ts";
import { isHugePageName, isOvercommitAllowed, isPodLevelResourceName } from "../helpers/resource-names.ts";
import type { Container, Pod, PodSpec } from "../schema/generated/models.ts";
import { defaultPodSpec } from "./pod-spec-defaults.ts";

export function defaultPod(pod: Pod): void {
  const spec = (pod.spec ??= { containers: [] });
  defaultPodSpec(spec);
  if (spec.containers !== undefined) for (const container of spec.containers) requestsFromLimits(container);
  if (spec.initContainers !== undefined) for (const container of spec.initContainers) requestsFromLimits(container);
  if (spec.resources !== undefined) defaultPodLevelResources(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork === true) for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

/** What is limited and not asked for is asked for up to its limit. */
function requestsFromLimits(container: Container): void {
  const limits = container.resources?.limits;
  if (limits === undefined) return;
  const requests = (container.resources!.requests ??= {});
  for (const name in limits) requests[name] ??= limits[name]!;
}

function defaultPodLevelResources(spec: PodSpec): void {
  const resources = spec.resources!;
  const count = (amounts: object | undefined): number => Object.keys(amounts ?? {}).length;
  if (count(resources.limits) + count(resources.requests) > 0) {
    const found = Object.entries(aggregateContainerLimits(spec)).filter(([name]) => isHugePageName(name) && resources.requests?.[name] === undefined);
    if (found.length > 0) resources.limits = { ...Object.fromEntries(found), ...resources.limits };
  }
  if (count(resources.limits) === 0) return;
  const asked = Object.entries(aggregateContainerRequests(spec)).filter(([name]) => isPodLevelResourceName(name) && isOvercommitAllowed(name));
  const limited = Object.entries(resources.limits!).filter(([name]) => isPodLevelResourceName(name));
  const requests = { ...Object.fromEntries(limited), ...Object.fromEntries(asked), ...resources.requests };
  if (count(requests) > 0) resources.requests = requests;
}
