/**
 * How long a kubelet may keep objects before it asks again, written on its node by the size of the cluster: upstream's kubelets read it.
 * Counterpart: kubernetes `pkg/controller/ttl`.
 */
import { nodes } from "../../api/schema/generated/references.ts";
import { hasReason } from "../../api/status-error.ts";
import { Controller } from "../../runtime/controller.ts";
import type { Runnable } from "../../util/runnable.ts";
import type { ControllerContext } from "../shared/context.ts";

export const TTL_ANNOTATION = "node.alpha.kubernetes.io/ttl";

/** Steps that overlap, so that a cluster at an edge does not go to and fro. */
const STEPS = [{ nodesMin: 0, nodesMax: 100, seconds: 0 }, { nodesMin: 90, nodesMax: 500, seconds: 15 }, { nodesMin: 450, nodesMax: 1_000, seconds: 30 }, { nodesMin: 900, nodesMax: 2_000, seconds: 60 }, { nodesMin: 1_800, nodesMax: Infinity, seconds: 300 }] as const;

/** The step for a number of nodes, from the one of before. */
export function stepFor(nodeCount: number, step: number): number {
  while (nodeCount > STEPS[step]!.nodesMax) step++;
  while (nodeCount < STEPS[step]!.nodesMin) step--;
  return step;
}
export const secondsOf = (step: number): number => STEPS[step]!.seconds;

export function createTtlController(context: ControllerContext, { workers }: { workers: number }): Runnable {
  const all = context.informers.get(nodes);
  let count = 0, step = 0;
  const controller = new Controller(context, {
    name: "ttl-controller", workers, waitFor: [all],
    async reconcile(name, signal) {
      const node = all.get(name), wanted = String(secondsOf(step));
      if (node === undefined || node.metadata.annotations?.[TTL_ANNOTATION] === wanted) return {};
      try { await context.client.patch(nodes, { name }, "strategic", { metadata: { annotations: { [TTL_ANNOTATION]: wanted } } }, {}, signal); }
      catch (error) { if (!hasReason(error, "NotFound")) throw error; }
      return {};
    },
  });
  all.onChange(({ type, object }) => {
    count += type === "added" ? 1 : type === "deleted" ? -1 : 0;
    const before = step;
    step = stepFor(count, step);
    if (step !== before) for (const node of all.list()) controller.queue.add(node.metadata.name);
    if (type !== "deleted") controller.queue.add(object.metadata.name);
  });
  return controller;
}
