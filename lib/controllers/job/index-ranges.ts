/**
 * Sets of completion indexes as a Job's status writes them: `0,2-5,7`. Values; every change makes a new one.
 *
 * Promises: ranges are in order and touch nowhere; two neighbours are written `3,4`, three and more `3-5`.
 * Counterpart: orderedIntervals in kubernetes `pkg/controller/job/indexed_job_utils.go`.
 */
interface Range { readonly first: number; readonly last: number }

export class IndexRanges {
  static readonly NONE = new IndexRanges([]);
  readonly ranges: readonly Range[];
  readonly count: number;

  private constructor(ranges: readonly Range[]) {
    this.ranges = ranges;
    this.count = ranges.reduce((n, { first, last }) => n + last - first + 1, 0);
  }

  /** Reads the text; what cannot be read is passed over, and so are indexes from `completions` on. */
  static parse(text: string, completions: number): IndexRanges {
    const ranges: Range[] = [];
    for (const part of text.split(",")) {
      const match = /^(\d+)(?:-(\d+))?$/.exec(part);
      if (match === null) continue;
      const first = Number(match[1]), last = Math.min(Number(match[2] ?? match[1]), completions - 1);
      if (first <= last) ranges.push({ first, last });
    }
    return IndexRanges.NONE.#merge(ranges);
  }

  with(indexes: Iterable<number>): IndexRanges { return this.#merge([...indexes].map((index) => ({ first: index, last: index }))); }

  union(other: IndexRanges): IndexRanges { return this.#merge(other.ranges); }

  has(index: number): boolean { return this.ranges.some(({ first, last }) => first <= index && index <= last); }

  /** How many indexes both hold. */
  overlap(other: IndexRanges): number {
    let count = 0;
    for (const a of this.ranges) for (const b of other.ranges) count += Math.max(0, Math.min(a.last, b.last) - Math.max(a.first, b.first) + 1);
    return count;
  }

  /** The first `count` indexes below `end` that are not here. */
  missing(count: number, end: number): number[] {
    const found: number[] = [];
    let candidate = 0;
    for (const { first, last } of [...this.ranges, { first: end, last: end }]) {
      for (; candidate < Math.min(first, end) && found.length < count; candidate++) found.push(candidate);
      candidate = Math.max(candidate, last + 1);
    }
    return found;
  }

  toString(): string {
    return this.ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}${last === first + 1 ? "," : "-"}${last}`)).join(",");
  }

  #merge(more: readonly Range[]): IndexRanges {
    if (more.length === 0) return this;
    const merged: { first: number; last: number }[] = [];
    for (const { first, last } of [...this.ranges, ...more].toSorted((a, b) => a.first - b.first)) {
      const before = merged.at(-1);
      if (before === undefined || first > before.last + 1) merged.push({ first, last });
      else before.last = Math.max(before.last, last);
    }
    return new IndexRanges(merged);
  }
}
