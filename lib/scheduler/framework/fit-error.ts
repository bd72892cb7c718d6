/**
 * The sentence a pod that fits nowhere gets, in its event and its condition. Upstream's to the letter: people and tools search for it.
 * Counterpart: scheduler `framework.FitError`.
 */
import type { Rejection } from "./plugin.ts";

/** What a cycle that found no node learned. */
export interface Diagnosis {
  readonly nodesTotal: number;
  /** By name of node; a node that is absent was ruled out by `absent`. */
  readonly rejections: ReadonlyMap<string, Rejection>;
  /** Why nodes that were not looked at are out, when a plugin limited the search. */
  readonly absent?: Rejection;
  /** Set when a plugin ruled every node out at once. */
  readonly podRejection?: Rejection;
  /** Names of the plugins that rejected. */
  readonly plugins: ReadonlySet<string>;
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The histogram of reasons: `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.`; `after` follows (what preemption says). */
export function fitErrorMessage({ nodesTotal, rejections, absent, podRejection }: Diagnosis, after = ""): string {
  let text = `0/${nodesTotal} nodes are available`;
  if (podRejection !== undefined) text += `: ${podRejection.reasons.join(", ")}.`;
  else {
    const counts = new Map<string, number>();
    const count = ({ reasons }: Rejection, nodes: number): void => { for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + nodes); };
    for (const rejection of rejections.values()) count(rejection, 1);
    if (absent !== undefined && nodesTotal > rejections.size) count(absent, nodesTotal - rejections.size);
    const reasons = [...counts].map(([reason, nodes]) => `${nodes} ${reason}`).sort(byText);
    if (reasons.length > 0) text += `: ${reasons.join(", ")}.`;
  }
  return after === "" ? text : `${text} ${after}`;
}

/** Events hold no more than this; `truncateNote` cuts as upstream does. */
export const NOTE_BYTES_MAX = 1_024;
export function truncateNote(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= NOTE_BYTES_MAX ? text : `${bytes.subarray(0, NOTE_BYTES_MAX - 4).toString().replace(/\uFFFD$/, "")} ...`;
}
