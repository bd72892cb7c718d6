/**
 * A node must have free what the pod asks for; among those that do, the one with most left over is better (LeastAllocated).
 * Scores count 0.1 core and 200 MiB for a container that asks for nothing. Counterpart: scheduler `noderesources/fit.go`, `least_allocated.go`.
 */
import { resourceAmounts } from "../../api/helpers/pod-requests.ts";
import type { Node } from "../../api/schema/generated/models.ts";
import type { NodeInfo } from "../cache/node-info.ts";
import type { PodInfo } from "../cache/pod-info.ts";
import { SCORE_MAX, type Plugin, type Rejection } from "../framework/plugin.ts";

const FIRST = ["cpu", "memory", "ephemeral-storage"];
/** Resources asked for, in the order upstream names them. */
const asked = (pod: PodInfo): (readonly [resource: string, amount: number])[] => {
  const entries = [...pod.requests].filter(([, amount]) => amount > 0);
  const rank = (resource: string): number => (FIRST.includes(resource) ? FIRST.indexOf(resource) : FIRST.length);
  return entries.sort(([a], [b]) => rank(a) - rank(b));
};

/** What of `requests` is missing on the node. */
function insufficient(requests: readonly (readonly [string, number])[], node: NodeInfo): Rejection | undefined {
  let reasons: string[] | undefined, isUnresolvable = false;
  if (node.pods.size + 1 > node.podsMax) reasons = ["Too many pods"];
  for (const [resource, amount] of requests) {
    const total = node.allocatable.get(resource) ?? 0;
    if (amount <= total - (node.requested.get(resource) ?? 0)) continue;
    (reasons ??= []).push(`Insufficient ${resource}`);
    isUnresolvable ||= amount > total; // Not even an empty node of this kind would do.
  }
  return reasons === undefined ? undefined : { reasons, isUnresolvable };
}

/** Whether the pod would fit on the node were it empty. */
function fitsEmpty(pod: PodInfo, node: Node): boolean {
  const allocatable = resourceAmounts(node.status?.allocatable);
  return (allocatable.get("pods") ?? 0) > 0 && asked(pod).every(([resource, amount]) => amount <= (allocatable.get(resource) ?? 0));
}

/** Per cent of `capacity` that stays free. */
export const leastAllocated = (requested: number, capacity: number): number => (requested > capacity ? 0 : Math.trunc(((capacity - requested) * SCORE_MAX) / capacity));

export const nodeResourcesFit: Plugin = {
  name: "NodeResourcesFit",
  beginFilter(pod) {
    const requests = asked(pod);
    return { filter: (node) => insufficient(requests, node) };
  },
  beginScore(pod) {
    return {
      score(node) {
        const milliCpu = node.allocatable.get("cpu") ?? 0, memory = node.allocatable.get("memory") ?? 0;
        let sum = 0, weights = 0;
        if (milliCpu > 0) { sum += leastAllocated(node.scoredMilliCpu + pod.scoredMilliCpu, milliCpu); weights++; }
        if (memory > 0) { sum += leastAllocated(node.scoredMemoryBytes + pod.scoredMemoryBytes, memory); weights++; }
        return weights === 0 ? 0 : Math.trunc(sum / weights);
      },
    };
  },
  mayHelp(event, pod) {
    switch (event.kind) {
      case "assigned-pod-deleted": return true; // It freed a place at least.
      case "assigned-pod-updated": return [...event.old.requests].some(([resource, amount]) => amount > (event.pod.requests.get(resource) ?? 0));
      case "node-added": return fitsEmpty(pod, event.node);
      case "node-updated": return event.aspects.has("allocatable") && fitsEmpty(pod, event.node);
      case "assigned-pod-added": case "node-deleted": case "namespace-changed": case "volume-changed": case "anything": return false;
    }
  },
};
