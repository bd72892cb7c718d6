/**
 * When the change that a write of endpoints answers to happened, for kube-proxy's latency metric.
 *
 * The time is that of the oldest change not yet written: a pod's readiness turning, or the Service being made.
 * Counterpart: kubernetes `staging/src/k8s.io/endpointslice/util/trigger_time_tracker.go`.
 */
import { podCondition } from "../../api/helpers/pod-status.ts";
import { timestampMs } from "../../api/helpers/timestamps.ts";
import { keyOf } from "../../runtime/object-key.ts";
import type { Pod, Service } from "../../api/schema/generated/models.ts";

interface Seen { pods: Map<string, number>; serviceMs: number }

export class TriggerTimes {
  readonly #services = new Map<string, Seen>();

  /** Milliseconds since the epoch; undefined when no dated change is new. Remembers what it saw. */
  take(service: Service, pods: readonly Pod[]): number | undefined {
    const key = keyOf(service), before = this.#services.get(key);
    const seen: Seen = { pods: new Map(), serviceMs: timestampMs(service.metadata.creationTimestamp) ?? 0 };
    let oldestMs: number | undefined = before === undefined || before.serviceMs < seen.serviceMs ? seen.serviceMs : undefined;
    for (const pod of pods) {
      const changedMs = timestampMs(podCondition(pod, "Ready")?.lastTransitionTime);
      if (changedMs === undefined) continue;
      seen.pods.set(pod.metadata.name, changedMs);
      if (changedMs > (before?.pods.get(pod.metadata.name) ?? (before === undefined ? Number.POSITIVE_INFINITY : 0))) oldestMs = Math.min(oldestMs ?? changedMs, changedMs);
    }
    this.#services.set(key, seen);
    return oldestMs;
  }

  forget(key: string): void { this.#services.delete(key); }
}
