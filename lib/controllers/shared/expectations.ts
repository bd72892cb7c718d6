/**
 * Expectations: what a controller asked for and has not seen in its informer yet, so that it does not ask twice.
 *
 * Promises: an owner is not acted upon before its own creations and deletions were seen (or failed); deletions are told apart by
 * pod, so one seen twice counts once; after EXPECTATION_TIMEOUT_MS a lost event stops mattering.
 * Counterpart: kubernetes `pkg/controller/controller_utils.go` UIDTrackingControllerExpectations.
 */
import type { Clock } from "../../util/clock.ts";

export const EXPECTATION_TIMEOUT_MS = 300_000;

interface Expected { creations: number; deletions: Set<string>; sinceMs: number }

export class Expectations {
  readonly #clock: Pick<Clock, "monotonicMs">;
  readonly #owners = new Map<string, Expected>();

  constructor(clock: Pick<Clock, "monotonicMs">) { this.#clock = clock; }

  /** Whether the owner may be acted upon. */
  satisfied(owner: string): boolean {
    const expected = this.#owners.get(owner);
    if (expected === undefined || (expected.creations <= 0 && expected.deletions.size === 0)) return true;
    return this.#clock.monotonicMs() - expected.sinceMs > EXPECTATION_TIMEOUT_MS;
  }

  /** What was expected before is replaced. `deletions` are `namespace/name` of what will be deleted. */
  expect(owner: string, creations: number, deletions: readonly string[]): void {
    this.#owners.set(owner, { creations, deletions: new Set(deletions), sinceMs: this.#clock.monotonicMs() });
  }

  expectCreations(owner: string, count: number): void { this.expect(owner, count, []); }
  expectDeletions(owner: string, keys: readonly string[]): void { this.expect(owner, 0, keys); }

  /** A creation was seen, or will not come: it failed or was never tried. */
  creationObserved(owner: string, count = 1): void {
    const expected = this.#owners.get(owner);
    if (expected !== undefined) expected.creations -= count;
  }

  deletionObserved(owner: string, key: string): void { this.#owners.get(owner)?.deletions.delete(key); }

  /** The owner is gone. */
  forget(owner: string): void { this.#owners.delete(owner); }
}
