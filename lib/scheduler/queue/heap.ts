/** A binary heap whose members can be found and removed by key. The least, by `compare`, comes first. Counterpart: scheduler `backend/heap`. */

export class Heap<T> {
  readonly #items: T[] = [];
  readonly #at = new Map<string, number>();
  readonly #keyOf: (item: T) => string;
  readonly #compare: (a: T, b: T) => number;

  constructor(keyOf: (item: T) => string, compare: (a: T, b: T) => number) {
    this.#keyOf = keyOf;
    this.#compare = compare;
  }

  get size(): number { return this.#items.length; }
  get(key: string): T | undefined { const at = this.#at.get(key); return at === undefined ? undefined : this.#items[at]; }
  peek(): T | undefined { return this.#items[0]; }
  values(): Iterable<T> { return this.#items; }

  /** Adds, or replaces the member with the same key. */
  set(item: T): void {
    const key = this.#keyOf(item), known = this.#at.get(key), at = known ?? this.#items.length;
    this.#items[at] = item;
    this.#at.set(key, at);
    this.#settle(at);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.delete(this.#keyOf(first));
    return first;
  }

  delete(key: string): T | undefined {
    const at = this.#at.get(key);
    if (at === undefined) return undefined;
    const removed = this.#items[at]!, last = this.#items.pop()!;
    this.#at.delete(key);
    if (at < this.#items.length) {
      this.#items[at] = last;
      this.#at.set(this.#keyOf(last), at);
      this.#settle(at);
    }
    return removed;
  }

  /** Moves the member at `start` up or down to where it belongs. */
  #settle(start: number): void {
    let at = start;
    for (let parent = (at - 1) >> 1; at > 0 && this.#compare(this.#items[at]!, this.#items[parent]!) < 0; parent = (at - 1) >> 1) { this.#swap(at, parent); at = parent; }
    for (;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < this.#items.length && this.#compare(this.#items[child]!, this.#items[least]!) < 0) least = child;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #swap(a: number, b: number): void {
    const left = this.#items[a]!, right = this.#items[b]!;
    this.#items[a] = right; this.#items[b] = left;
    this.#at.set(this.#keyOf(right), a);
    this.#at.set(this.#keyOf(left), b);
  }
}
