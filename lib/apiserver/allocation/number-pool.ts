/**
 * Numbers 0 … size-1 of which some are taken. Dynamic choices come from the upper band first and at random, so that
 * people may pick from the lower band by hand and a number just freed is not handed out at once.
 * Counterpart: `pkg/registry/core/service/allocator` `AllocationBitmap` with an offset.
 */
export class NumberPool {
  readonly size: number;
  /** First number of the dynamic band. */
  readonly offset: number;
  readonly #random: () => number;
  /** How often each is taken: a repair may find one number with two owners. */
  readonly #taken = new Map<number, number>();
  #takenAbove = 0;
  constructor(size: number, options: { offset: number; random?: () => number }) {
    this.size = size;
    this.offset = Math.min(options.offset, size);
    this.#random = options.random ?? Math.random;
  }
  has(number: number): boolean { return this.#taken.has(number); }
  get free(): number { return this.size - this.#taken.size; }

  take(number: number): void {
    const count = this.#taken.get(number) ?? 0;
    this.#taken.set(number, count + 1);
    if (count === 0 && number >= this.offset) this.#takenAbove++;
  }

  release(number: number): void {
    const count = this.#taken.get(number);
    if (count === undefined) return;
    if (count > 1) { this.#taken.set(number, count - 1); return; }
    this.#taken.delete(number);
    if (number >= this.offset) this.#takenAbove--;
  }

  /** A free number, not taken yet, or undefined when there is none. */
  choose(): number | undefined {
    const above = this.size - this.offset - this.#takenAbove;
    if (above > 0) return this.#chooseIn(this.offset, this.size);
    return this.free > 0 ? this.#chooseIn(0, this.offset) : undefined;
  }

  #chooseIn(from: number, to: number): number {
    const start = from + Math.floor(this.#random() * (to - from));
    for (let number = start; number < to; number++) if (!this.#taken.has(number)) return number;
    for (let number = from; number < start; number++) if (!this.#taken.has(number)) return number;
    throw new Error(`Assertion failed: no number is free between ${from} and ${to}`);
  }
}
