/** Which pods nobody else will ever remove. Pure. Counterpart: kubernetes `pkg/controller/podgc`. */
import { isPodTerminal, isPodTerminating } from "../../api/helpers/pod-status.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import type { Node, Pod } from "../../api/schema/generated/models.ts";

const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

export interface PodGcPlan {
  /** Finished pods beyond the threshold: evicted ones first, then the oldest. */
  readonly terminated: Pod[];
  /** Terminating on a node that an operator declared out of service. */
  readonly outOfService: Pod[];
  /** Deleted before they were given a node. */
  readonly unscheduled: Pod[];
  /** By the name of the node that is not there. */
  readonly orphaned: Map<string, Pod[]>;
}

export function planPodGc(pods: readonly Pod[], nodeOf: (name: string) => Node | undefined, terminatedThreshold: number): PodGcPlan {
  const plan: PodGcPlan = { terminated: [], outOfService: [], unscheduled: [], orphaned: new Map() };
  for (const pod of pods) {
    const nodeName = pod.spec.nodeName ?? "";
    if (nodeName === "") { if (isPodTerminating(pod)) plan.unscheduled.push(pod); continue; }
    const node = nodeOf(nodeName);
    if (node === undefined) plan.orphaned.set(nodeName, [...(plan.orphaned.get(nodeName) ?? []), pod]);
    else if (isPodTerminating(pod) && isOutOfService(node)) plan.outOfService.push(pod);
  }
  if (terminatedThreshold > 0) {
    const finished = pods.filter((pod) => isPodTerminal(pod) && !isPodTerminating(pod)), surplus = finished.length - terminatedThreshold;
    const evicted = (pod: Pod): number => Number(pod.status?.reason === "Evicted");
    if (surplus > 0) plan.terminated.push(...finished.toSorted((a, b) => evicted(b) - evicted(a) || (timestampMs(a.metadata.creationTimestamp) ?? 0) - (timestampMs(b.metadata.creationTimestamp) ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1)).slice(0, surplus));
  }
  return plan;
}

const isOutOfService = (node: Node): boolean =>
  node.spec.taints?.some((t) => t.key === OUT_OF_SERVICE_TAINT) === true && node.status?.conditions?.find((c) => c.type === "Ready")?.status !== "True";
