/**
 * Prefers nodes whose CPU and memory would be used to the same degree: a node with one of them used up cannot sell the other.
 * Score: 1 minus the standard deviation of the used fractions. Pods that ask for nothing are not scored.
 */
import { SCORE_MAX, type Plugin } from "../framework/plugin.ts";

export const nodeResourcesBalancedAllocation: Plugin = {
  name: "NodeResourcesBalancedAllocation",
  beginScore({ requests }) {
    const milliCpu = requests.get("cpu") ?? 0, memory = requests.get("memory") ?? 0;
    if (milliCpu === 0 && memory === 0) return undefined;
    return {
      score(node) {
        const cpuTotal = node.allocatable.get("cpu") ?? 0, memoryTotal = node.allocatable.get("memory") ?? 0;
        if (cpuTotal === 0 || memoryTotal === 0) return SCORE_MAX; // One fraction does not deviate.
        const cpu = Math.min(1, ((node.requested.get("cpu") ?? 0) + milliCpu) / cpuTotal);
        const bytes = Math.min(1, ((node.requested.get("memory") ?? 0) + memory) / memoryTotal);
        return Math.trunc((1 - Math.abs(cpu - bytes) / 2) * SCORE_MAX); // Of two numbers, half the difference.
      },
    };
  },
};
