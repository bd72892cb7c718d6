/** Indexes of a Job's pods as text: `0,2-5,7`. Counterpart: `validateIndexesFormat` in kubernetes `apis/batch/validation`. */
interface Interval { readonly first: number; readonly last: number }
/** What is read, or what is wrong. */
type Parsed<T> = { readonly value: T } | { readonly fault: string };

function parseIndex(text: string, completions: number): Parsed<number> {
  if (!/^[-+]?\d+$/.test(text)) return { fault: `cannot convert string to integer for index: ${JSON.stringify(text)}` };
  return Number(text) >= completions ? { fault: `too large index: ${JSON.stringify(text)}` } : { value: Number(text) };
}

function parseInterval(text: string, completions: number): Parsed<Interval> {
  const limits = text.split("-");
  if (limits.length > 2) return { fault: `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'` };
  const first = parseIndex(limits[0]!, completions);
  if ("fault" in first) return first;
  if (limits.length === 1) return { value: { first: first.value, last: first.value } };
  const last = parseIndex(limits[1]!, completions);
  if ("fault" in last) return last;
  if (first.value >= last.value) return { fault: `non-increasing order, previous: ${first.value}, current: ${last.value}` };
  return { value: { first: first.value, last: last.value } };
}

/** How many indexes the text names, each below `completions` and after the one before it. */
export function countIndexes(text: string, completions: number): Parsed<number> {
  if (text === "") return { value: 0 };
  let total = 0, previous: number | undefined;
  for (const part of text.split(",")) {
    const interval = parseInterval(part, completions);
    if ("fault" in interval) return interval;
    const { first, last } = interval.value;
    if (previous !== undefined && previous >= first) return { fault: `non-increasing order, previous: ${previous}, current: ${first}` };
    total += last - first + 1;
    previous = last;
  }
  return { value: total };
}

/** The first index both texts name; parts that cannot be read are passed over. */
export function commonIndex(a: string, b: string, completions: number): number | undefined {
  const read = (text: string): Interval[] => text.split(",").flatMap((part) => {
    const interval = parseInterval(part, completions);
    return "fault" in interval ? [] : [interval.value];
  });
  const others = read(b);
  for (const one of read(a)) {
    const other = others.find(({ first, last }) => one.first <= last && first <= one.last);
    if (other !== undefined) return Math.max(one.first, other.first);
  }
  return undefined;
}
