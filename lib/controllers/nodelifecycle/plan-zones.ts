/**
 * Brakes: when too much of a zone is silent, the fault is more likely ours or the network's than the nodes', and evicting would make it
 * worse. Pure. Counterpart: kubernetes `pkg/controller/nodelifecycle` ComputeZoneState, handleDisruption.
 */
import type { Node } from "../../api/schema/generated/models.ts";

export type ZoneState = "Initial" | "Normal" | "FullDisruption" | "PartialDisruption";
export interface EvictionRates {
  /** Nodes a second in a healthy zone. */
  readonly normal: number;
  /** In a large zone that is partly disrupted; small ones then stop. */
  readonly secondary: number;
  readonly largeZoneNodes: number;
  /** Share of silent nodes from which a zone counts as disrupted. */
  readonly unhealthyThreshold: number;
}

const REGION_LABEL = "topology.kubernetes.io/region", ZONE_LABEL = "topology.kubernetes.io/zone";

export function zoneOf({ metadata }: Node): string {
  const region = metadata.labels?.[REGION_LABEL] ?? "", zone = metadata.labels?.[ZONE_LABEL] ?? "";
  return region === "" && zone === "" ? "" : `${region}:\0:${zone}`;
}

/** `ready` of each node of one zone. */
export function zoneState(ready: readonly boolean[], unhealthyThreshold: number): ZoneState {
  const silent = ready.filter((r) => !r).length;
  if (silent > 0 && silent === ready.length) return "FullDisruption";
  return silent > 2 && silent / ready.length >= unhealthyThreshold ? "PartialDisruption" : "Normal";
}

/** Nodes a second whose pods may be evicted in a zone of that state. */
export function evictionRate(state: ZoneState, nodesInZone: number, rates: EvictionRates): number {
  if (state === "PartialDisruption") return nodesInZone > rates.largeZoneNodes ? rates.secondary : 0;
  return rates.normal;
}

/** A bucket of one: an eviction at once, the next when it has filled again. */
export class EvictionLimiter {
  #tokens = 1;
  #atMs: number;
  #rate: number;
  constructor(rate: number, nowMs: number) { this.#rate = rate; this.#atMs = nowMs; }
  get rate(): number { return this.#rate; }
  setRate(rate: number, nowMs: number): void { this.#refill(nowMs); this.#rate = rate; }
  /** Whether one more may go now; if so it is counted. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#rate <= 0 || this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
  #refill(nowMs: number): void {
    this.#tokens = Math.min(1, this.#tokens + ((nowMs - this.#atMs) / 1_000) * this.#rate);
    this.#atMs = nowMs;
  }
}
