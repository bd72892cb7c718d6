/**
 * Pods that wait for a node.
 *
 *            add ──► active ──take──► (in a cycle) ──► bound
 *             │        ▲  ▲                │
 *             │        │  └─backoff over── backoff ◄──failed──┤
 *             ▼        │                     ▲                │
 *           gated      └──event that helps───┴── unschedulable ◄──fits nowhere
 *
 * Guarantees: the highest priority first, of equals the longest waiting; a pod that fits nowhere is tried again only after an event that a
 * plugin which rejected it calls helpful, or after UNSCHEDULABLE_MAX_MS; backoff doubles from 1 s to 10 s; while nothing else waits, pods
 * that backed off because they fitted nowhere (not after errors) are tried early.
 * Counterpart: scheduler `backend/queue/scheduling_queue.go`. Differs: a cycle is synchronous, so no event can be missed during one.
 */
import { semanticEqual } from "../../api/semantic-equal.ts";
import type { Clock } from "../../util/clock.ts";
import type { PodInfo } from "../cache/pod-info.ts";
import type { Plugin } from "../framework/plugin.ts";
import type { ClusterEvent } from "./cluster-event.ts";
import { Heap } from "./heap.ts";

export interface QueuedPod {
  pod: PodInfo;
  /** When it entered the part of the queue it is in. */
  sinceMs: number;
  readonly firstMs: number;
  attempts: number;
  /** Tries in a row that found no node, and that failed for another reason. */
  unfitCount: number;
  errorCount: number;
  /** Plugins that rejected it at the last try; empty: any event may help. */
  rejectedBy: ReadonlySet<string>;
}

export type QueuePart = "active" | "backoff" | "unschedulable" | "gated";

export const BACKOFF_INITIAL_MS = 1_000;
export const BACKOFF_MAX_MS = 10_000;
export const UNSCHEDULABLE_MAX_MS = 300_000;
const FLUSH_INTERVAL_MS = 30_000;

const uidOf = (queued: QueuedPod): string => queued.pod.uid;
const byPriority = (a: QueuedPod, b: QueuedPod): number => b.pod.priority - a.pod.priority || a.sinceMs - b.sinceMs;

export class SchedulingQueue {
  readonly #clock: Clock;
  readonly #plugins: ReadonlyMap<string, Plugin>;
  readonly #active = new Heap<QueuedPod>(uidOf, byPriority);
  /** After errors, and after fitting nowhere: only the latter may be taken early. */
  readonly #errorBackoff = new Heap<QueuedPod>(uidOf, (a, b) => this.#backoffEndMs(a) - this.#backoffEndMs(b));
  readonly #unfitBackoff = new Heap<QueuedPod>(uidOf, (a, b) => this.#backoffEndMs(a) - this.#backoffEndMs(b));
  readonly #unschedulable = new Map<string, QueuedPod>();
  readonly #gated = new Map<string, QueuedPod>();
  #wake: (() => void) | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerDueMs = Infinity;

  constructor(deps: { clock: Clock; plugins: readonly Plugin[] }) {
    this.#clock = deps.clock;
    this.#plugins = new Map(deps.plugins.map((plugin) => [plugin.name, plugin]));
  }

  /** How many pods are where. */
  sizes(): Record<QueuePart, number> {
    return { active: this.#active.size, backoff: this.#errorBackoff.size + this.#unfitBackoff.size, unschedulable: this.#unschedulable.size, gated: this.#gated.size };
  }

  partOf(uid: string): QueuePart | undefined {
    if (this.#active.get(uid) !== undefined) return "active";
    if (this.#errorBackoff.get(uid) !== undefined || this.#unfitBackoff.get(uid) !== undefined) return "backoff";
    if (this.#unschedulable.has(uid)) return "unschedulable";
    return this.#gated.has(uid) ? "gated" : undefined;
  }

  /** A pod that wants a node, seen for the first time. */
  add(pod: PodInfo): void {
    const nowMs = this.#clock.monotonicMs();
    this.#enqueue({ pod, sinceMs: nowMs, firstMs: nowMs, attempts: 0, unfitCount: 0, errorCount: 0, rejectedBy: new Set() });
  }

  /** The pod changed. What only its status tells cannot help it. Unknown pods are added. */
  update(pod: PodInfo): void {
    const queued = this.#find(pod.uid);
    if (queued === undefined) return this.add(pod);
    const old = queued.pod;
    queued.pod = pod;
    if (old.pod === pod.pod || (semanticEqual(old.pod.spec, pod.pod.spec) && semanticEqual(old.labels, pod.labels))) return;
    if (this.#unschedulable.delete(pod.uid) || this.#gated.delete(pod.uid)) this.#enqueue(queued);
  }

  /** The pod is gone, or has a node. */
  delete(uid: string): void {
    if (this.#active.delete(uid) ?? this.#errorBackoff.delete(uid) ?? this.#unfitBackoff.delete(uid)) return;
    if (!this.#unschedulable.delete(uid)) this.#gated.delete(uid);
  }

  /** The next pod to try, if one is ready. It is out of the queue until it is handed back. */
  take(): QueuedPod | undefined {
    const queued = this.#active.pop() ?? this.#unfitBackoff.pop();
    if (queued !== undefined) queued.attempts++;
    return queued;
  }

  /** As `take`, but waits; undefined once `signal` aborts. */
  async next(signal: AbortSignal): Promise<QueuedPod | undefined> {
    while (!signal.aborted) {
      const queued = this.take();
      if (queued !== undefined) return queued;
      await new Promise<void>((resolve) => {
        const wake = (): void => { this.#wake = undefined; signal.removeEventListener("abort", wake); resolve(); };
        this.#wake = wake;
        signal.addEventListener("abort", wake, { once: true });
      });
    }
    return undefined;
  }

  /** Hands back a pod that fitted nowhere. */
  addUnschedulable(queued: QueuedPod, rejectedBy: ReadonlySet<string>): void {
    Object.assign(queued, { rejectedBy, unfitCount: queued.unfitCount + 1, errorCount: 0, sinceMs: this.#clock.monotonicMs() } satisfies Partial<QueuedPod>);
    this.#unschedulable.set(queued.pod.uid, queued);
    this.#schedule(queued.sinceMs + FLUSH_INTERVAL_MS);
  }

  /** Hands back a pod whose try failed for another reason, such as a binding that was refused. */
  addAfterError(queued: QueuedPod): void {
    Object.assign(queued, { errorCount: queued.errorCount + 1, sinceMs: this.#clock.monotonicMs() } satisfies Partial<QueuedPod>);
    this.#enqueue(queued);
  }

  /** Something happened: whom it may help is tried again. */
  tell(event: ClusterEvent): void {
    for (const queued of [...this.#unschedulable.values()]) {
      if (!this.#mayHelp(event, queued)) continue;
      this.#unschedulable.delete(queued.pod.uid);
      this.#enqueue(queued);
    }
  }

  /** Tries the pod again as soon as its backoff allows. */
  activate(uid: string): void {
    const queued = this.#unschedulable.get(uid);
    if (queued === undefined) return;
    this.#unschedulable.delete(uid);
    this.#enqueue(queued);
  }

  close(): void { this.#cancelTimer?.(); }

  #find(uid: string): QueuedPod | undefined {
    return this.#active.get(uid) ?? this.#errorBackoff.get(uid) ?? this.#unfitBackoff.get(uid) ?? this.#unschedulable.get(uid) ?? this.#gated.get(uid);
  }

  #mayHelp(event: ClusterEvent, { pod, rejectedBy }: QueuedPod): boolean {
    if (event.kind === "anything" || rejectedBy.size === 0) return true;
    for (const name of rejectedBy) if (this.#plugins.get(name)?.mayHelp?.(event, pod) === true) return true;
    return false;
  }

  #backoffEndMs({ sinceMs, unfitCount, errorCount }: QueuedPod): number {
    const count = errorCount > 0 ? errorCount : unfitCount;
    return count === 0 ? sinceMs : sinceMs + Math.min(BACKOFF_MAX_MS, BACKOFF_INITIAL_MS * 2 ** Math.min(count - 1, 10));
  }

  #enqueue(queued: QueuedPod): void {
    for (const plugin of this.#plugins.values()) {
      if (plugin.gate?.(queued.pod) !== undefined) { this.#gated.set(queued.pod.uid, queued); return; }
    }
    const endMs = this.#backoffEndMs(queued);
    if (endMs <= this.#clock.monotonicMs()) this.#active.set(queued);
    else {
      (queued.errorCount > 0 ? this.#errorBackoff : this.#unfitBackoff).set(queued);
      this.#schedule(endMs);
    }
    this.#wake?.();
  }

  /** Makes sure `#flush` runs by `dueMs`. */
  #schedule(dueMs: number): void {
    if (this.#timerDueMs <= dueMs) return;
    this.#cancelTimer?.();
    this.#timerDueMs = dueMs;
    this.#cancelTimer = this.#clock.after(Math.max(0, dueMs - this.#clock.monotonicMs()), () => this.#flush());
  }

  /** Backoffs that are over, and pods nobody has helped for long. */
  #flush(): void {
    const nowMs = this.#clock.monotonicMs();
    this.#timerDueMs = Infinity;
    for (const backoff of [this.#errorBackoff, this.#unfitBackoff]) {
      for (let first = backoff.peek(); first !== undefined && this.#backoffEndMs(first) <= nowMs; first = backoff.peek()) {
        backoff.pop();
        this.#active.set(first);
      }
      if (backoff.size > 0) this.#schedule(this.#backoffEndMs(backoff.peek()!));
    }
    for (const queued of [...this.#unschedulable.values()]) if (nowMs - queued.sinceMs >= UNSCHEDULABLE_MAX_MS) this.activate(queued.pod.uid);
    if (this.#unschedulable.size > 0) this.#schedule(nowMs + FLUSH_INTERVAL_MS);
    if (this.#active.size > 0) this.#wake?.();
  }
}
