/** Taints that the node lifecycle puts on nodes. Pure. Counterpart: kubernetes `pkg/util/taints` and `pkg/controller/nodelifecycle`. */
import { toTimestamp } from "../../api/helpers/timestamps.ts";
import type { Node, Taint } from "../../api/schema/generated/models.ts";

export const NOT_READY_TAINT = "node.kubernetes.io/not-ready";
export const UNREACHABLE_TAINT = "node.kubernetes.io/unreachable";

export const isSameTaint = (a: Pick<Taint, "key" | "effect">, b: Pick<Taint, "key" | "effect">): boolean => a.key === b.key && a.effect === b.effect;
export const hasTaint = (node: Node, taint: Pick<Taint, "key" | "effect">): boolean => node.spec.taints?.some((t) => isSameTaint(t, taint)) === true;

/** The node's taints with `add` and without `remove`; undefined when that is how they are. A taint that replaces another of its effect keeps its time, so that tolerations go on counting. */
export function changeTaints(node: Node, add: readonly Pick<Taint, "key" | "effect">[], remove: readonly Pick<Taint, "key" | "effect">[], now: Date): Taint[] | undefined {
  const before = node.spec.taints ?? [], fresh = add.filter((a) => !before.some((t) => isSameTaint(t, a)));
  const kept = before.filter((t) => !remove.some((r) => isSameTaint(t, r)));
  if (fresh.length === 0 && kept.length === before.length) return undefined;
  const since = (effect: string): string => before.find((t) => t.effect === effect && t.timeAdded !== undefined && remove.some((r) => isSameTaint(t, r)))?.timeAdded ?? toTimestamp(now);
  return [...kept, ...fresh.map((t) => ({ ...t, timeAdded: since(t.effect) }))];
}
