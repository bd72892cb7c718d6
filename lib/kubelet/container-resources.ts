/**
 * Requests and limits as the kernel understands them: cpu shares, CFS quota, memory, OOM score; for containers and for pods' groups.
 * Pure. Counterpart: kubelet `cm/helpers_linux.go` and `qos/policy.go`.
 */
import { podQos, type QosClass } from "../api/helpers/pod-qos.ts";
import { milliValue, quantityValue } from "../api/quantity.ts";
import type { Container, Pod, ResourceRequirements } from "../api/schema/generated/models.ts";
import type { CgroupName } from "../host/cgroup-name.ts";
import type { CgroupResources } from "../host/cgroups.ts";
import { initContainersOf, isSidecar, uidOf } from "./pod-facts.ts";

const SHARES_MIN = 2, SHARES_MAX = 262_144, QUOTA_MIN_US = 1_000;
export const CPU_PERIOD_US = 100_000;
const GUARANTEED_OOM_SCORE = -997, BEST_EFFORT_OOM_SCORE = 1_000;

export const milliCpuToShares = (milli: number): number => (milli <= 0 ? SHARES_MIN : Math.min(SHARES_MAX, Math.max(SHARES_MIN, Math.trunc((milli * 1_024) / 1_000))));
export const milliCpuToQuota = (milli: number): number => (milli <= 0 ? -1 : Math.max(QUOTA_MIN_US, Math.trunc((milli * CPU_PERIOD_US) / 1_000)));

const milli = (quantity: string | undefined): number => (quantity === undefined ? 0 : milliValue(quantity));
const value = (quantity: string | undefined): number => (quantity === undefined ? 0 : quantityValue(quantity));

const memoryRequest = ({ resources }: Container): number => value(resources?.requests?.["memory"] ?? resources?.limits?.["memory"]);

/** How willing the kernel is to kill the container when memory runs out: -997 (never first) to 1000. */
export function oomScoreAdjust(pod: Pod, container: Container, memoryCapacityBytes: number): number {
  if (pod.spec.priorityClassName === "system-node-critical" || (pod.spec.priority ?? 0) >= 2_000_001_000) return GUARANTEED_OOM_SCORE;
  const qos = podQos(pod);
  if (qos === "Guaranteed") return GUARANTEED_OOM_SCORE;
  if (qos === "BestEffort") return BEST_EFFORT_OOM_SCORE;
  const own = memoryRequest(container), isSidecarOfPod = initContainersOf(pod).some((each) => each.name === container.name && isSidecar(each));
  // A sidecar outlives no container it is there for.
  const request = isSidecarOfPod ? Math.max(own, Math.min(...pod.spec.containers.map(memoryRequest))) : own;
  const score = 1_000 - Math.trunc((1_000 * request) / memoryCapacityBytes);
  if (score < 1_000 + GUARANTEED_OOM_SCORE) return 1_000 + GUARANTEED_OOM_SCORE;
  return score === BEST_EFFORT_OOM_SCORE ? score - 1 : score;
}

export interface LinuxResources { cpuShares: number; cpuQuota: number; cpuPeriod: number; memoryLimitInBytes: number; oomScoreAdj: number }

export function linuxResources(pod: Pod, container: Container, memoryCapacityBytes: number): LinuxResources {
  const { requests = {}, limits = {} } = container.resources ?? {};
  const limit = milli(limits["cpu"]), request = requests["cpu"] === undefined ? limit : milli(requests["cpu"]);
  return {
    cpuShares: milliCpuToShares(request), cpuQuota: milliCpuToQuota(limit), cpuPeriod: CPU_PERIOD_US,
    memoryLimitInBytes: value(limits["memory"]), oomScoreAdj: oomScoreAdjust(pod, container, memoryCapacityBytes),
  };
}

type Amount = (resources: ResourceRequirements | undefined) => number;

/** What the pod as a whole needs at its busiest moment: containers with sidecars, or an init container with the sidecars before it. */
function podAmount(pod: Pod, amount: Amount, ofPod: (resources: ResourceRequirements) => number | undefined): number {
  const own = pod.spec.resources === undefined ? undefined : ofPod(pod.spec.resources);
  if (own !== undefined) return own;
  let sidecars = 0, initPeak = 0;
  for (const container of initContainersOf(pod)) {
    if (isSidecar(container)) { sidecars += amount(container.resources); initPeak = Math.max(initPeak, sidecars); }
    else initPeak = Math.max(initPeak, sidecars + amount(container.resources));
  }
  return Math.max(initPeak, sidecars + pod.spec.containers.reduce((sum, container) => sum + amount(container.resources), 0));
}

/** The limits on a pod's own group; a limit is set only when every container has one. */
export function podCgroupResources(pod: Pod): CgroupResources {
  const everyLimit = (name: string): boolean => pod.spec.resources?.limits?.[name] !== undefined || pod.spec.containers.every((container) => container.resources?.limits?.[name] !== undefined);
  const overhead = pod.spec.overhead ?? {};
  const cpuRequest = podAmount(pod, (r) => milli(r?.requests?.["cpu"] ?? r?.limits?.["cpu"]), (r) => (r.requests?.["cpu"] === undefined ? undefined : milli(r.requests["cpu"]))) + milli(overhead["cpu"]);
  const cpuLimit = podAmount(pod, (r) => milli(r?.limits?.["cpu"]), (r) => (r.limits?.["cpu"] === undefined ? undefined : milli(r.limits["cpu"]))) + milli(overhead["cpu"]);
  const memoryLimit = podAmount(pod, (r) => value(r?.limits?.["memory"]), (r) => (r.limits?.["memory"] === undefined ? undefined : value(r.limits["memory"]))) + value(overhead["memory"]);
  return {
    cpuShares: milliCpuToShares(cpuRequest),
    ...(everyLimit("cpu") ? { cpuQuotaUs: milliCpuToQuota(cpuLimit), cpuPeriodUs: CPU_PERIOD_US } : {}),
    ...(everyLimit("memory") && memoryLimit > 0 ? { memoryMaxBytes: memoryLimit } : {}),
  };
}

const QOS_WORDS: Record<QosClass, readonly string[]> = { Guaranteed: [], Burstable: ["burstable"], BestEffort: ["besteffort"] };

export const kubepodsCgroup = (root: CgroupName): CgroupName => [...root, "kubepods"];
export const qosCgroup = (root: CgroupName, qos: QosClass): CgroupName => [...kubepodsCgroup(root), ...QOS_WORDS[qos]];
export const podCgroup = (root: CgroupName, pod: Pod): CgroupName => [...qosCgroup(root, podQos(pod)), `pod${uidOf(pod)}`];
