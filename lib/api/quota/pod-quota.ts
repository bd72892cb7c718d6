/**
 * Pods as quotas count them: `count/pods` for every one that is stored; `pods` and what they ask for and may use while they run.
 * Counterpart: kubernetes `pkg/quota/v1/evaluator/core/pods.go`.
 */
import { computePodQos } from "../helpers/pod-qos.ts";
import { aggregateContainerLimits, aggregateContainerRequests } from "../helpers/pod-resources.ts";
import { isExtendedResourceName, isHugePageName, isNativeResource, isPodLevelResourceName } from "../helpers/resource-names.ts";
import { timestampMs } from "../helpers/timestamps.ts";
import type { Container, Pod, PodAffinityTerm, PodSpec, ScopedResourceSelectorRequirement } from "../schema/generated/models.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { addLists, type ResourceList } from "./resource-list.ts";
import { selectsValues } from "./scopes.ts";

const COUNT = "count/pods";
const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const NAMES = new Set([COUNT, "pods", ...COMPUTE, ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`])]);
/** Where a quota limits one of these, every container must name it. */
const MUST_BE_NAMED = new Set(["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"]);

/** What a quota counts of these requests and limits, the pod itself included. */
function computeUsage(requests: ResourceList = {}, limits: ResourceList = {}): ResourceList {
  const usage: Record<string, string> = { pods: "1" };
  for (const name of COMPUTE) {
    if (requests[name] !== undefined) usage[name] = usage[`requests.${name}`] = requests[name];
    if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name];
  }
  for (const name of Object.keys(requests)) {
    if (isHugePageName(name)) usage[name] = usage[`requests.${name}`] = requests[name]!;
    if (isExtendedResourceName(name)) usage[`requests.${name}`] = requests[name]!;
  }
  return usage;
}

const podLevel = (list: ResourceList | undefined): ResourceList => Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => isPodLevelResourceName(name)));

/** With overhead, and the pod's own resources instead of its containers' where it has some. */
function podTotals(spec: PodSpec): { requests: ResourceList; limits: ResourceList } {
  const requests = { ...aggregateContainerRequests(spec), ...podLevel(spec.resources?.requests) }, limits = { ...aggregateContainerLimits(spec), ...podLevel(spec.resources?.limits) };
  const overhead = spec.overhead ?? {};
  return { requests: addLists(requests, overhead), limits: addLists(limits, Object.fromEntries(Object.entries(overhead).filter(([name]) => limits[name] !== undefined))) };
}

/** Runs, or may: neither finished nor past the end of its grace. */
export function isChargedPod({ metadata, status }: Pod, now: Date): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const deletedMs = timestampMs(metadata.deletionTimestamp), graceSeconds = metadata.deletionGracePeriodSeconds;
  return deletedMs === undefined || graceSeconds === undefined || now.getTime() <= deletedMs + graceSeconds * 1_000;
}

const reachesOtherNamespaces = (term: PodAffinityTerm): boolean => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined;
function usesCrossNamespaceAffinity({ affinity }: PodSpec): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((each) =>
    each?.requiredDuringSchedulingIgnoredDuringExecution?.some(reachesOtherNamespaces) === true
    || each?.preferredDuringSchedulingIgnoredDuringExecution?.some(({ podAffinityTerm }) => reachesOtherNamespaces(podAffinityTerm)) === true);
}

function inScope({ spec }: Pod, selector: ScopedResourceSelectorRequirement): boolean {
  switch (selector.scopeName) {
    case "Terminating": return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating": return (spec.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort": return computePodQos(spec) === "BestEffort";
    case "NotBestEffort": return computePodQos(spec) !== "BestEffort";
    case "PriorityClass": return selectsValues(selector, spec.priorityClassName === undefined || spec.priorityClassName === "" ? [] : [spec.priorityClassName]);
    case "CrossNamespacePodAffinity": return usesCrossNamespaceAffinity(spec);
    default: return false;
  }
}

/** `must specify limits.cpu for: main,side; …`, or undefined. */
function missingNames(required: readonly string[], { spec }: Pod): string | undefined {
  const wanted = required.filter((name) => MUST_BE_NAMED.has(name)), missing = new Map<string, string[]>();
  for (const container of [...spec.containers, ...(spec.initContainers ?? [])] as Container[]) {
    const named = computeUsage(container.resources?.requests, container.resources?.limits);
    for (const name of wanted) if (named[name] === undefined) missing.set(name, [...(missing.get(name) ?? []), container.name]);
  }
  if (missing.size === 0) return undefined;
  return `must specify ${[...missing].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, containers]) => `${name} for: ${[...new Set(containers)].toSorted().join(",")}`).join("; ")}`;
}

export const podQuota: QuotaEvaluator<Pod> = {
  group: "", plural: "pods",
  handles: (operation, subresource) => (operation === "CREATE" && subresource === "") || (operation === "UPDATE" && subresource === "resize"),
  matching: (names) => names.filter((name) => NAMES.has(name) || isHugePageName(name) || name.startsWith("requests.hugepages-") || (!isNativeResource(name) && name.startsWith("requests."))),
  inScope,
  missing: missingNames,
  usage(pod, now) {
    if (!isChargedPod(pod, now)) return { [COUNT]: "1" };
    const { requests, limits } = podTotals(pod.spec);
    return { [COUNT]: "1", ...computeUsage(requests, limits) };
  },
  frees: (old, pod, now) => isChargedPod(old, now) && !isChargedPod(pod, now),
};
