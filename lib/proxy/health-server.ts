/**
 * Health of the proxy over HTTP: `/healthz` for load balancers (503 also when this node is to get no new traffic) and `/livez`
 * for supervisors. Healthy means: no sync has been due for longer than two sync periods without reaching the kernel.
 * Counterpart: kube-proxy `healthcheck/proxy_health.go`; KEP-3836.
 */
import type { Node } from "../api/schema/generated/models.ts";
import type { Clock } from "../util/clock.ts";

/** What the cluster autoscaler puts on a node it is about to delete. */
const TO_BE_DELETED_TAINT = "ToBeDeletedByClusterAutoscaler";

/** Whether load balancers may send new traffic to this node. A node not known (yet) is. */
export const isNodeEligible = (node: Node | undefined): boolean =>
  node === undefined || (node.metadata.deletionTimestamp === undefined && !(node.spec?.taints ?? []).some((taint) => taint.key === TO_BE_DELETED_TAINT));

export interface HealthReport { readonly code: 200 | 503; readonly body: string }

export class ProxyHealth {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  /** When the oldest sync that is due became so, by who owes it. */
  readonly #dueSinceMs = new Map<string, number>();
  #lastSynced: Date;
  nodeEligible = true;

  constructor(clock: Clock, syncPeriodMs: number) {
    this.#clock = clock;
    this.#timeoutMs = 2 * syncPeriodMs;
    this.#lastSynced = clock.now();
  }

  /** A sync of `family` is due. */
  queued(family: string): void { if (!this.#dueSinceMs.has(family)) this.#dueSinceMs.set(family, this.#clock.monotonicMs()); }
  synced(family: string): void {
    this.#dueSinceMs.delete(family);
    this.#lastSynced = this.#clock.now();
  }

  get healthy(): boolean { return [...this.#dueSinceMs.values()].every((since) => this.#clock.monotonicMs() - since < this.#timeoutMs); }

  healthz(): HealthReport { return this.#report(this.healthy && this.nodeEligible, `, "nodeEligible": ${this.nodeEligible}`); }
  livez(): HealthReport { return this.#report(this.healthy, ""); }

  #report(ok: boolean, more: string): HealthReport {
    const now = this.#clock.now();
    return { code: ok ? 200 : 503, body: `{"lastUpdated": "${goTime(ok ? now : this.#lastSynced)}","currentTime": "${goTime(now)}"${more}}` };
  }
}

/** As Go prints a time: `2026-01-02 03:04:05.006 +0000 UTC`. */
const goTime = (time: Date): string => time.toISOString().replace("T", " ").replace(/\.?0*Z$/, "").concat(" +0000 UTC");
