/** Counts probe results against a probe's thresholds. Pure. Counterpart: kubelet `prober/worker.go`. */
import type { Probe } from "../../api/schema/generated/models.ts";
import type { ProbeResult } from "./run-probe.ts";

export type Verdict = "success" | "failure" | undefined;
export interface Tally { readonly last: ProbeResult["outcome"] | undefined; readonly runs: number }
export const emptyTally: Tally = { last: undefined, runs: 0 };

/** Adds one result; the verdict is undefined until a threshold is met. */
export function countResult(tally: Tally, outcome: ProbeResult["outcome"], probe: Probe): { tally: Tally; verdict: Verdict } {
  if (outcome === "unknown") return { tally, verdict: undefined };
  const runs = tally.last === outcome ? tally.runs + 1 : 1;
  const needed = outcome === "failure" ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
  return { tally: { last: outcome, runs }, verdict: runs >= needed ? outcome : undefined };
}
