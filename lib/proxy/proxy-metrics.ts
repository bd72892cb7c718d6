/** The proxy's metrics under upstream's names. Counterpart: kube-proxy `metrics/metrics.go`. */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

const SYNC_SECONDS = [0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];
const PROGRAMMING_SECONDS = [0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 120, 180, 240, 300];

export class ProxyMetrics {
  readonly syncSeconds: Histogram<"ip_family">;
  readonly fullSyncSeconds: Histogram<"ip_family">;
  readonly partialSyncSeconds: Histogram<"ip_family">;
  readonly programmingSeconds: Histogram<"ip_family">;
  readonly lastSync: Gauge<"ip_family">;
  readonly lastQueued: Gauge<"ip_family">;
  readonly rules: Gauge<"table" | "ip_family">;
  readonly restoreFailures: Counter<"ip_family">;
  readonly withoutLocal: Gauge<"traffic_policy" | "ip_family">;
  readonly forgottenFlows: Counter<"ip_family" | "protocol">;
  readonly healthz: Counter<"code">;
  readonly livez: Counter<"code">;

  constructor(registry: Registry) {
    const registers = [registry], labelNames = ["ip_family"] as const;
    const histogram = (name: string, help: string, buckets: number[]): Histogram<"ip_family"> => new Histogram({ name: `kubeproxy_${name}`, help, labelNames, buckets, registers });
    this.syncSeconds = histogram("sync_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds", SYNC_SECONDS);
    this.fullSyncSeconds = histogram("sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs", SYNC_SECONDS);
    this.partialSyncSeconds = histogram("sync_partial_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for partial resyncs", SYNC_SECONDS);
    this.programmingSeconds = histogram("network_programming_duration_seconds", "In Cluster Network Programming Latency in seconds", PROGRAMMING_SECONDS);
    this.lastSync = new Gauge({ name: "kubeproxy_sync_proxy_rules_last_timestamp_seconds", help: "The last time proxy rules were successfully synced", labelNames, registers });
    this.lastQueued = new Gauge({ name: "kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds", help: "The last time a sync of proxy rules was queued", labelNames, registers });
    this.rules = new Gauge({ name: "kubeproxy_sync_proxy_rules_iptables_total", help: "Total number of iptables rules owned by kube-proxy", labelNames: ["table", "ip_family"], registers });
    this.restoreFailures = new Counter({ name: "kubeproxy_sync_proxy_rules_iptables_restore_failures_total", help: "Cumulative proxy iptables restore failures", labelNames, registers });
    this.withoutLocal = new Gauge({ name: "kubeproxy_sync_proxy_rules_no_local_endpoints_total", help: "Number of services with a Local traffic policy and no endpoints", labelNames: ["traffic_policy", "ip_family"], registers });
    this.forgottenFlows = new Counter({ name: "kubeproxy_conntrack_reconciler_deleted_entries_total", help: "Cumulative conntrack flows deleted by conntrack reconciler", labelNames: ["ip_family", "protocol"], registers });
    this.healthz = new Counter({ name: "kubeproxy_proxy_healthz_total", help: "Cumulative proxy healthz HTTP status", labelNames: ["code"], registers });
    this.livez = new Counter({ name: "kubeproxy_proxy_livez_total", help: "Cumulative proxy livez HTTP status", labelNames: ["code"], registers });
  }
}
