/**
 * Work queue: keys waiting to be reconciled.
 *
 * Guarantees: a key added many times before it is taken is handed out once; a key is never with two workers at once; a key added
 * while in progress is handed out again after `done`; of several delayed adds of a key the earliest counts; a key's failures are
 * counted until `forget`. Order is first in, first out. After `shutDown` nothing more is handed out.
 * Counterpart: client-go `util/workqueue`. Differs: promises instead of a blocking `Get`; failures back off to 60 s, not 1,000 s.
 */
import { backoffMs, resolveBackoff, type BackoffOptions } from "../util/backoff.ts";
import type { Clock } from "../util/clock.ts";

export interface WorkQueueObserver {
  added(depth: number): void;
  /** `waitedMs` from add to take. */
  taken(depth: number, waitedMs: number): void;
  done(workedMs: number): void;
  retried(): void;
}

export class WorkQueue<K extends string = string> {
  readonly #clock: Clock;
  readonly #backoff: Required<BackoffOptions>;
  readonly #observer: WorkQueueObserver | undefined;
  /** Insertion order is the order of handing out; the value is when it was added. */
  readonly #waiting = new Map<K, number>();
  readonly #processing = new Map<K, number>();
  /** Added again while in progress. */
  readonly #dirty = new Set<K>();
  readonly #delayed = new Map<K, { dueMs: number; cancel: () => void }>();
  readonly #failures = new Map<K, number>();
  readonly #takers: ((key: K | undefined) => void)[] = [];
  #closed = false;

  constructor(deps: { clock: Clock; observer?: WorkQueueObserver | undefined }, options: BackoffOptions = {}) {
    this.#clock = deps.clock;
    this.#observer = deps.observer;
    this.#backoff = resolveBackoff({ baseMs: 5, maxMs: 60_000, ...options });
  }

  /** Keys waiting to be taken; delayed ones do not count. */
  get length(): number { return this.#waiting.size; }

  add(key: K): void {
    if (this.#closed) return;
    if (this.#processing.has(key)) {
      if (!this.#dirty.has(key)) { this.#dirty.add(key); this.#observer?.added(this.#waiting.size); }
      return;
    }
    if (this.#waiting.has(key)) return;
    this.#waiting.set(key, this.#clock.monotonicMs());
    this.#observer?.added(this.#waiting.size);
    const taker = this.#takers.shift();
    if (taker !== undefined) taker(this.take());
  }

  /** Adds after `ms`; at once when that is not positive. */
  addAfter(key: K, ms: number): void {
    if (this.#closed) return;
    if (!(ms > 0)) { this.add(key); return; }
    const dueMs = this.#clock.monotonicMs() + ms, pending = this.#delayed.get(key);
    if (pending !== undefined) {
      if (pending.dueMs <= dueMs) return;
      pending.cancel();
    }
    const cancel = this.#clock.after(ms, () => { this.#delayed.delete(key); this.add(key); });
    this.#delayed.set(key, { dueMs, cancel });
  }

  /** Adds after the key's backoff, at most `maxMs`, and makes the next one longer. */
  addRateLimited(key: K, maxMs = Number.POSITIVE_INFINITY): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.#observer?.retried();
    this.addAfter(key, Math.min(maxMs, backoffMs(this.#backoff, failures)));
  }

  /** Ends the key's backoff; call it after success. */
  forget(key: K): void { this.#failures.delete(key); }

  /** How often the key was rate limited since the last `forget`. */
  failures(key: K): number { return this.#failures.get(key) ?? 0; }

  /** The next key, now in progress until `done`; undefined when none waits. */
  take(): K | undefined {
    for (const [key, addedMs] of this.#waiting) {
      const nowMs = this.#clock.monotonicMs();
      this.#waiting.delete(key);
      this.#processing.set(key, nowMs);
      this.#observer?.taken(this.#waiting.size, nowMs - addedMs);
      return key;
    }
    return undefined;
  }

  /** As `take`, but waits. Resolves to undefined once the queue is shut down. */
  next(): Promise<K | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const key = this.take();
    if (key !== undefined) return Promise.resolve(key);
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Every taken key must be handed back, whatever came of it. */
  done(key: K): void {
    const startedMs = this.#processing.get(key);
    if (startedMs === undefined) return;
    this.#processing.delete(key);
    this.#observer?.done(this.#clock.monotonicMs() - startedMs);
    if (this.#dirty.delete(key)) this.add(key);
  }

  /** Drops everything that waits and releases those in `next`. */
  shutDown(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#waiting.clear();
    this.#dirty.clear();
    for (const taker of this.#takers.splice(0)) taker(undefined);
  }
}
