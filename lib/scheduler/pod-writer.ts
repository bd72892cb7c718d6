/**
 * What the scheduler writes: bindings, pod conditions, evictions of preempted pods, events. Thin; decides nothing.
 * Counterpart: scheduler `defaultbinder`, `updatePod`, `prepareCandidate`.
 */
import type { Pod } from "../api/schema/generated/models.ts";
import { pods } from "../api/schema/generated/references.ts";
import { hasReason } from "../api/status-error.ts";
import type { Client } from "../client/client.ts";
import type { EventSink } from "../runtime/event-recorder.ts";
import type { Clock } from "../util/clock.ts";
import type { PodInfo } from "./cache/pod-info.ts";
import { truncateNote } from "./framework/fit-error.ts";
import { planPodStatus, type StatusWish } from "./plan-pod-status.ts";

/** Pods as events and references name them: lists leave these two out. */
const named = (pod: Pod): Pod => ({ ...pod, apiVersion: "v1", kind: "Pod" });

export class PodWriter {
  readonly #deps: { client: Client; clock: Clock; events: EventSink; schedulerName: string };
  constructor(deps: { client: Client; clock: Clock; events: EventSink; schedulerName: string }) { this.#deps = deps; }

  async bind(pod: PodInfo, node: string, signal: AbortSignal): Promise<void> {
    const metadata = { namespace: pod.namespace, name: pod.name, uid: pod.uid };
    await this.#deps.client.createSubresource(pods, { namespace: pod.namespace, name: pod.name }, "binding", { apiVersion: "v1", kind: "Binding", metadata, target: { kind: "Node", name: node } }, signal);
  }

  /** Writes nothing when the pod's status says so already. A pod that is gone is no failure. */
  async writeStatus(pod: Pod, wish: StatusWish, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#deps, patch = planPodStatus(pod, wish, clock.now());
    if (patch === undefined) return;
    try { await client.patch(pods, { namespace: pod.metadata.namespace, name: pod.metadata.name }, "strategic", patch, { subresource: "status" }, signal); }
    catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
  }

  tellScheduled({ pod, key }: PodInfo, node: string): void {
    this.#deps.events.event(named(pod), "Normal", "Scheduled", `Successfully assigned ${key} to ${node}`, { action: "Binding" });
  }

  tellFailed({ pod }: PodInfo, message: string): void {
    this.#deps.events.event(named(pod), "Warning", "FailedScheduling", truncateNote(message), { action: "Scheduling" });
  }

  /** Makes a pod leave for a more important one. */
  async preempt(victim: PodInfo, preemptor: PodInfo, node: string, signal: AbortSignal): Promise<void> {
    const { client, events, schedulerName } = this.#deps;
    if (victim.isTerminating) return;
    const message = `${schedulerName}: preempting to accommodate a higher priority pod`;
    await this.writeStatus(victim.pod, { condition: { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler", message } }, signal);
    try { await client.delete(pods, { namespace: victim.namespace, name: victim.name }, { preconditions: { uid: victim.uid } }, signal); }
    catch (error) { if (!hasReason(error, "NotFound", "Conflict")) throw error; }
    events.event(named(victim.pod), "Normal", "Preempted", `Preempted by pod ${preemptor.uid} on node ${node}`, {
      action: "Preempting", related: { kind: "Pod", apiVersion: "v1", namespace: preemptor.namespace, name: preemptor.name, uid: preemptor.uid },
    });
  }
}
