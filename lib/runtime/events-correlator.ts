/**
 * Event correlation: many happenings, few writes. Pure but for its own memory.
 *
 *   happening ──too many of one object──► drop
 *             ──same as before──────────► patch (count or series grows)
 *             ──10 alike, other text────► one combined event, then patches of it
 *             ──new─────────────────────► create
 *
 * Promises: memory is bounded (least recently used is forgotten); limits are upstream's: 25 at once an object, one more every
 * 5 minutes; 10 alike within 10 minutes are combined. Counterpart: client-go `tools/record/events_cache.go`.
 */
import type { ObjectReference } from "../api/schema/generated/models.ts";

export const CORRELATOR_ENTRIES_MAX = 4_096;
export const SPAM_BURST_EVENTS = 25;
export const SPAM_REFILL_MS = 300_000;
export const SIMILAR_EVENTS_MAX = 10;
export const SIMILAR_WINDOW_MS = 600_000;

export type EventType = "Normal" | "Warning";
export interface Happening {
  readonly about: ObjectReference;
  readonly related?: ObjectReference | undefined;
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
  /** What was done or tried, e.g. "Binding"; only events.k8s.io shows it. */
  readonly action?: string | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}
export type EventDecision =
  | { kind: "drop" }
  | { kind: "create"; key: string; name: string; message: string; firstMs: number }
  | { kind: "patch"; key: string; name: string; message: string; firstMs: number; count: number };

interface Written { name: string; count: number; firstMs: number }

export class EventsCorrelator {
  readonly #tokens = new LeastRecentlyUsed<{ tokens: number; atMs: number }>();
  readonly #similar = new LeastRecentlyUsed<{ messages: Set<string>; atMs: number }>();
  readonly #written = new LeastRecentlyUsed<Written>();

  /** `nowMs` is wall time; `name` names the event if one is created. */
  decide(happening: Happening, nowMs: number, name: string): EventDecision {
    const { about, reason, type, message, action } = happening;
    const objectKey = [about.kind, about.namespace, about.name, about.uid, about.apiVersion].join("\0");
    if (!this.#allow(objectKey, nowMs)) return { kind: "drop" };
    const group = [objectKey, about.fieldPath, type, reason, action, happening.related?.uid].join("\0");
    const combined = this.#combine(group, message, nowMs);
    const text = combined ? `(combined from similar events): ${message}` : message;
    const key = combined ? group : `${group}\0${message}`;
    const before = this.#written.get(key);
    if (before === undefined) {
      this.#written.set(key, { name, count: 1, firstMs: nowMs });
      return { kind: "create", key, name, message: text, firstMs: nowMs };
    }
    before.count++;
    return { kind: "patch", key, name: before.name, message: text, firstMs: before.firstMs, count: before.count };
  }

  /** The event is gone from the server (they live an hour): the next one is created anew. */
  forget(key: string): void { this.#written.delete(key); }

  #allow(objectKey: string, nowMs: number): boolean {
    const bucket = this.#tokens.get(objectKey) ?? { tokens: SPAM_BURST_EVENTS, atMs: nowMs };
    bucket.tokens = Math.min(SPAM_BURST_EVENTS, bucket.tokens + Math.max(0, nowMs - bucket.atMs) / SPAM_REFILL_MS);
    bucket.atMs = nowMs;
    this.#tokens.set(objectKey, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #combine(group: string, message: string, nowMs: number): boolean {
    const known = this.#similar.get(group);
    const entry = known === undefined || nowMs - known.atMs > SIMILAR_WINDOW_MS ? { messages: new Set<string>(), atMs: nowMs } : known;
    entry.atMs = nowMs;
    if (entry.messages.size < SIMILAR_EVENTS_MAX) entry.messages.add(message);
    this.#similar.set(group, entry);
    return entry.messages.size >= SIMILAR_EVENTS_MAX;
  }
}

class LeastRecentlyUsed<V> {
  readonly #entries = new Map<string, V>();
  get(key: string): V | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) { this.#entries.delete(key); this.#entries.set(key, value); }
    return value;
  }
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > CORRELATOR_ENTRIES_MAX) this.#entries.delete(this.#entries.keys().next().value!);
  }
  delete(key: string): void { this.#entries.delete(key); }
}
