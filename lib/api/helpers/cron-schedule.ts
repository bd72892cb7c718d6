/**
 * When a schedule is due next, in a time zone with all its shifts.
 *
 * Promises: the answer is the first minute after the given one whose local reading fits; a reading a shift skips is not made up for, one
 * that a shift repeats is due twice; a schedule that fits no day within five years is never due.
 * Counterpart: robfig/cron v3 SpecSchedule.Next and ConstantDelaySchedule.
 */
import type { CronSpec } from "./cron-syntax.ts";

const MINUTE_MS = 60_000, HOUR_MINUTES = 60, DAY_MINUTES = 1_440;
const SEARCH_YEARS = 5;

interface Reading { readonly year: number; readonly month: number; readonly day: number; readonly weekday: number; readonly hour: number; readonly minute: number }
type Reader = (ms: number) => Reading;

const readers = new Map<string, Reader>();
/** Reads the local time of a zone; the name must be known. */
function readerOf(zone: string): Reader {
  let reader = readers.get(zone);
  if (reader === undefined) readers.set(zone, reader = zone === "UTC" ? readUtc : zoned(zone));
  return reader;
}

const readUtc: Reader = (ms) => { const at = new Date(ms); return { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate(), weekday: at.getUTCDay(), hour: at.getUTCHours(), minute: at.getUTCMinutes() }; };

function zoned(zone: string): Reader {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" });
  return (ms) => {
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) parts[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = parts;
    return { year, month, day, hour, minute, weekday: new Date(Date.UTC(year, month - 1, day)).getUTCDay() };
  };
}

/** Milliseconds since the epoch; undefined when it never is. `zone` counts where the schedule names none. */
export function nextDueMs({ when, zone: own }: CronSpec, afterMs: number, zone: string): number | undefined {
  if (when.kind === "every") return Math.floor(afterMs / 1_000) * 1_000 + when.ms;
  const read = readerOf(own ?? zone), fitsDay = (at: Reading): boolean => {
    if (!when.month.values.has(at.month)) return false;
    const day = when.day.values.has(at.day), weekday = when.weekday.values.has(at.weekday);
    return when.day.isAny || when.weekday.isAny ? day && weekday : day || weekday; // As cron always did: either, when both are named.
  };
  let ms = (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS;
  for (const lastYear = read(ms).year + SEARCH_YEARS; ;) {
    const at = read(ms);
    if (at.year > lastYear) return undefined;
    if (!fitsDay(at)) ms = nextMidnight(read, ms, at);
    else if (!when.hour.values.has(at.hour)) ms += (HOUR_MINUTES - at.minute) * MINUTE_MS;
    else if (!when.minute.values.has(at.minute)) ms += MINUTE_MS;
    else return ms;
  }
}

/** The beginning of the next local day, which is not midnight where a shift skips it. */
function nextMidnight(read: Reader, ms: number, { day, hour, minute }: Reading): number {
  const guess = ms + (DAY_MINUTES - hour * HOUR_MINUTES - minute) * MINUTE_MS, at = read(guess), past = (at.hour * HOUR_MINUTES + at.minute) * MINUTE_MS;
  if (at.day === day) return guess + DAY_MINUTES * MINUTE_MS - past; // The day has an hour more.
  return past > 0 && read(guess - past).day === at.day ? guess - past : guess;
}

/** `2026-01-02T03:04:05+09:00`, as that zone reads it. Counterpart: Go's time.RFC3339. */
export function formatInZone(ms: number, zone: string): string {
  const { year, month, day, hour, minute } = readerOf(zone)(ms), wholeMs = Math.floor(ms / MINUTE_MS) * MINUTE_MS, two = (n: number): string => String(Math.abs(n)).padStart(2, "0");
  const offset = Math.round((Date.UTC(year, month - 1, day, hour, minute) - wholeMs) / MINUTE_MS), seconds = two(Math.floor((ms - wholeMs) / 1_000));
  const suffix = offset === 0 ? "Z" : `${offset < 0 ? "-" : "+"}${two(Math.trunc(offset / 60))}:${two(offset % 60)}`;
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${seconds}${suffix}`;
}
