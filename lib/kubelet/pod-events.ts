/** What the kubelet tells people about pods and their containers. */
import type { Pod } from "../api/schema/generated/models.ts";
import type { EventSink } from "../runtime/event-recorder.ts";
import { fieldPathOf } from "./pod-facts.ts";

export type EventType = "Normal" | "Warning";

export class PodEvents {
  readonly #sink: EventSink;
  constructor(sink: EventSink) { this.#sink = sink; }

  pod(pod: Pod, type: EventType, reason: string, message: string): void {
    this.#sink.event({ ...pod, apiVersion: "v1", kind: "Pod" }, type, reason, message);
  }

  container(pod: Pod, container: string, type: EventType, reason: string, message: string): void {
    this.#sink.event({ ...pod, apiVersion: "v1", kind: "Pod" }, type, reason, message, { fieldPath: fieldPathOf(pod, container) });
  }
}
