/**
 * Event recorder: what a component tells people about an object (`kubectl describe`, `kubectl get events`).
 *
 * Promises: `event()` never blocks and never throws; at most EVENTS_QUEUED_MAX wait, beyond that new ones are dropped; events of one
 * object are written in order; while the server is away events are dropped after EVENT_TRIES, never piled up.
 * Counterpart: client-go `tools/record` (core events, the default) and `tools/events` (events.k8s.io, as kube-scheduler uses).
 */
import { toTimestamp } from "../api/helpers/timestamps.ts";
import { hostname } from "node:os";
import { isAbort } from "../util/abort.ts";
import { ConnectionError, type Client } from "../client/client.ts";
import { StatusError, hasReason } from "../api/status-error.ts";
import { events, eventsEvents } from "../api/schema/generated/references.ts";
import type { CoreV1Event, EventsV1Event, ObjectReference } from "../api/schema/generated/models.ts";
import type { KubeObject } from "../api/resource-definition.ts";
import type { Clock } from "../util/clock.ts";
import type { Logger } from "../util/logger.ts";
import type { Runnable } from "../util/runnable.ts";
import { EventsCorrelator, type EventDecision, type EventType, type Happening } from "./events-correlator.ts";

export const EVENTS_QUEUED_MAX = 1_000;
export const EVENT_TRIES = 3;
const EVENT_RETRY_MS = 2_000;
/** Written side by side; events of one object share a lane, so they stay in order. */
const LANES = 4;

/** What components take: narrow enough for a test to record into an array. */
export interface EventSink {
  event(about: KubeObject | ObjectReference, type: EventType, reason: string, message: string, options?: EventOptions): void;
}
export type EventOptions = Pick<Happening, "related" | "action" | "annotations"> & { /** e.g. `spec.containers{web}`. */ readonly fieldPath?: string | undefined };
export interface EventRecorderOptions {
  /** e.g. `replicaset-controller`, `kubelet`. */
  readonly component: string;
  /** Shown as the event's source host; only the kubelet and kube-proxy set it. */
  readonly host?: string | undefined;
  readonly api?: "core" | "events.k8s.io" | undefined;
}

/** A reference to an object as events and bindings carry it. */
export function objectReference(object: KubeObject | ObjectReference, fieldPath?: string): ObjectReference {
  if (!("metadata" in object)) return fieldPath === undefined ? object as ObjectReference : { ...object as ObjectReference, fieldPath };
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: object.kind, ...(namespace === undefined ? {} : { namespace }), name, ...(uid === undefined ? {} : { uid }), apiVersion: object.apiVersion,
    ...(resourceVersion === undefined ? {} : { resourceVersion }), ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

interface Queued { happening: Happening; at: Date }

/** Shared by the recorders of one process: one queue, one correlator a component, one background writer. */
export class EventBroadcaster implements Runnable {
  readonly name = "events";
  readonly #deps: { client: Client; clock: Clock; log: Logger };
  readonly #lanes: { queue: { recorder: RecorderState; item: Queued }[]; wake: (() => void) | undefined }[];
  #waiting = 0;
  #dropped = 0;
  #names = 0n;

  constructor(deps: { client: Client; clock: Clock; log: Logger }) {
    this.#deps = deps;
    this.#lanes = Array.from({ length: LANES }, () => ({ queue: [], wake: undefined }));
  }

  recorder(options: EventRecorderOptions): EventSink {
    const state: RecorderState = { options, correlator: new EventsCorrelator() };
    return {
      event: (about, type, reason, message, extra = {}) => {
        const { fieldPath, ...rest } = extra;
        this.#enqueue(state, { happening: { about: objectReference(about, fieldPath), type, reason, message, ...rest }, at: this.#deps.clock.now() });
      },
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    const wakeAll = (): void => { for (const lane of this.#lanes) lane.wake?.(); };
    signal.addEventListener("abort", wakeAll, { once: true });
    try { await Promise.all(this.#lanes.map((_, i) => this.#work(i, signal))); }
    finally { signal.removeEventListener("abort", wakeAll); }
  }

  #enqueue(recorder: RecorderState, item: Queued): void {
    if (this.#waiting >= EVENTS_QUEUED_MAX) {
      if (this.#dropped++ % 1_000 === 0) this.#deps.log.warn({ dropped: this.#dropped }, "events dropped, the queue is full");
      return;
    }
    const key = item.happening.about.uid ?? item.happening.about.name ?? "";
    let hash = 0;
    for (let i = 0; i < key.length; i++) hash = (hash * 31 + key.charCodeAt(i)) >>> 0;
    const lane = this.#lanes[hash % LANES]!;
    lane.queue.push({ recorder, item });
    this.#waiting++;
    lane.wake?.();
  }

  async #work(index: number, signal: AbortSignal): Promise<void> {
    const lane = this.#lanes[index]!;
    while (!signal.aborted) {
      const next = lane.queue.shift();
      if (next === undefined) { await new Promise<void>((resolve) => { lane.wake = resolve; }); lane.wake = undefined; continue; }
      this.#waiting--;
      try { await this.#record(next.recorder, next.item, signal); }
      catch (error) {
        if (isAbort(error, signal)) return;
        this.#deps.log.debug({ error, reason: next.item.happening.reason, about: next.item.happening.about.name }, "event not written");
      }
    }
  }

  async #record(recorder: RecorderState, { happening, at }: Queued, signal: AbortSignal): Promise<void> {
    // Upstream names events by nanoseconds; the counter keeps those of one millisecond apart.
    const nanoseconds = BigInt(at.getTime()) * 1_000_000n + (this.#names++ % 1_000_000n);
    const decision = recorder.correlator.decide(happening, at.getTime(), `${happening.about.name ?? "unknown"}.${nanoseconds.toString(16)}`);
    if (decision.kind === "drop") return;
    for (let attempt = 1; ; attempt++) {
      try { await this.#write(recorder, happening, decision, at, signal); return; }
      catch (error) {
        const again = error instanceof ConnectionError || (error instanceof StatusError && error.code >= 500);
        if (!again || attempt >= EVENT_TRIES) { recorder.correlator.forget(decision.key); throw error; }
        await this.#deps.clock.sleep(EVENT_RETRY_MS, signal);
      }
    }
  }

  async #write(recorder: RecorderState, happening: Happening, decision: Exclude<EventDecision, { kind: "drop" }>, at: Date, signal: AbortSignal): Promise<void> {
    const { client } = this.#deps, namespace = namespaceOf(happening.about), newApi = recorder.options.api === "events.k8s.io";
    if (decision.kind === "patch") {
      const patch = newApi ? { series: { count: decision.count, lastObservedTime: microTime(at) } } : { count: decision.count, lastTimestamp: toTimestamp(at), message: decision.message };
      try {
        await client.patch<unknown>(newApi ? eventsEvents : events, { namespace, name: decision.name }, "strategic", patch, {}, signal);
        return;
      } catch (error) { if (!hasReason(error, "NotFound")) throw error; }
    }
    if (newApi) await client.create(eventsEvents, newEvent(recorder.options, happening, decision, at), {}, signal);
    else await client.create(events, coreEvent(recorder.options, happening, decision, at), {}, signal);
  }
}

interface RecorderState { options: EventRecorderOptions; correlator: EventsCorrelator }

const namespaceOf = (about: ObjectReference): string => about.namespace || "default";
const microTime = (at: Date): string => at.toISOString().replace("Z", "000Z");

function coreEvent(options: EventRecorderOptions, happening: Happening, decision: { name: string; message: string; firstMs: number; count?: number }, at: Date): CoreV1Event {
  return {
    metadata: { name: decision.name, namespace: namespaceOf(happening.about), ...(happening.annotations === undefined ? {} : { annotations: { ...happening.annotations } }) },
    involvedObject: happening.about, ...(happening.related === undefined ? {} : { related: happening.related }),
    reason: happening.reason, message: decision.message, type: happening.type,
    source: { component: options.component, ...(options.host === undefined ? {} : { host: options.host }) },
    firstTimestamp: toTimestamp(new Date(decision.firstMs)), lastTimestamp: toTimestamp(at), count: decision.count ?? 1,
    reportingComponent: options.component, reportingInstance: options.host ?? "",
  };
}

function newEvent(options: EventRecorderOptions, happening: Happening, decision: { name: string; message: string; count?: number }, at: Date): EventsV1Event {
  return {
    metadata: { name: decision.name, namespace: namespaceOf(happening.about), ...(happening.annotations === undefined ? {} : { annotations: { ...happening.annotations } }) },
    eventTime: microTime(at), reportingController: options.component, reportingInstance: `${options.component}-${options.host ?? hostname()}`,
    action: happening.action ?? happening.reason, reason: happening.reason, note: decision.message, type: happening.type,
    regarding: happening.about, ...(happening.related === undefined ? {} : { related: happening.related }),
  };
}
