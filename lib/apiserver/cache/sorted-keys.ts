/**
 * A set of keys that can be read in order: changes are cheap, and sorting happens when somebody reads.
 * A cache under writes pays O(1) a write; a list pays one merge of what came since the last one.
 */
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

export class SortedKeys {
  #sorted: string[] = [];
  /** Not yet in `#sorted`. */
  readonly #added = new Set<string>();
  /** Still in `#sorted`. */
  readonly #removed = new Set<string>();

  /** The key must not be in the set. */
  add(key: string): void { if (!this.#removed.delete(key)) this.#added.add(key); }
  /** The key must be in the set. */
  remove(key: string): void { if (!this.#added.delete(key)) this.#removed.add(key); }
  get size(): number { return this.#sorted.length + this.#added.size - this.#removed.size; }

  /** Keys in order under `prefix`, a new array. */
  under(prefix: string): string[] {
    this.#settle();
    if (this.#sorted.length === 0) return [];
    const from = this.#lowerBound(prefix), to = this.#lowerBound(`${prefix}\uffff`);
    return this.#sorted.slice(from, to);
  }

  #settle(): void {
    if (this.#removed.size > 0) {
      this.#sorted = this.#sorted.filter((key) => !this.#removed.has(key));
      this.#removed.clear();
    }
    if (this.#added.size === 0) return;
    // Two sorted runs: the engine's merge sort joins them in one pass.
    for (const key of [...this.#added].sort(byText)) this.#sorted.push(key);
    this.#added.clear();
    this.#sorted.sort(byText);
  }

  #lowerBound(text: string): number {
    let low = 0, high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#sorted[middle]! < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
