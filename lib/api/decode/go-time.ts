/**
 * Times of the API: RFC 3339 in, UTC out, with Go's error texts.
 * Counterpart: Go's `time.Parse` with the layouts of apimachinery's Time and MicroTime.
 */
const PLAIN_TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const PLAIN_MICRO = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;
const TIME_LAYOUT = "2006-01-02T15:04:05Z07:00";
const MICRO_LAYOUT = "2006-01-02T15:04:05.000000Z07:00";
const ZERO_SECONDS = Date.UTC(2000, 0, 1) / 1_000 - 63_082_281_600; // 0001-01-01, which Go counts as no time.

/** A text that is no time. */
export class GoTimeError extends Error { override readonly name = "GoTimeError"; }

interface Reading { rest: string; numbers: number[]; micros: number; offsetMinutes: number }

/** The parts of the layouts, each with how it is read: a regex whose first group is the number. */
const DATE_PARTS: readonly (readonly [layout: string, pattern: RegExp, range: string, min: number, max: number])[] = [
  ["2006", /^(\d{4})/, "year", 0, 9999], ["-", /^-/, "", 0, 0], ["01", /^(\d\d)/, "month", 1, 12], ["-", /^-/, "", 0, 0], ["02", /^(\d\d)/, "", 0, 99],
  ["T", /^T/, "", 0, 0], ["15", /^(\d\d?)/, "hour", 0, 23], [":", /^:/, "", 0, 0], ["04", /^(\d\d)/, "minute", 0, 59], [":", /^:/, "", 0, 0], ["05", /^(\d\d)/, "second", 0, 59],
];

function readDate(text: string, layout: string): Reading {
  const reading: Reading = { rest: text, numbers: [], micros: 0, offsetMinutes: 0 };
  for (const [part, pattern, range, min, max] of DATE_PARTS) {
    const match = pattern.exec(reading.rest);
    if (match === null) throw cannotParse(text, layout, reading.rest, part);
    reading.rest = reading.rest.slice(match[0].length);
    if (match[1] === undefined) continue;
    const value = Number(match[1]);
    if (range !== "" && (value < min || value > max)) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: ${range} out of range`);
    reading.numbers.push(value);
  }
  return reading;
}

const cannotParse = (text: string, layout: string, rest: string, part: string): GoTimeError =>
  new GoTimeError(`parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part)}`);

function readZone(text: string, layout: string, reading: Reading): void {
  const match = /^(?:Z|([-+])(\d\d):(\d\d))/.exec(reading.rest);
  if (match === null) throw cannotParse(text, layout, reading.rest, "Z07:00");
  const rest = reading.rest.slice(match[0].length), hours = Number(match[2] ?? 0), minutes = Number(match[3] ?? 0);
  if (hours > 24) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: time zone offset hour out of range`);
  if (minutes > 60) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: time zone offset minute out of range`);
  if (rest !== "") throw new GoTimeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
  reading.offsetMinutes = (match[1] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

function parseSeconds(text: string, micro: boolean): { seconds: number; micros: number } {
  const layout = micro ? MICRO_LAYOUT : TIME_LAYOUT, reading = readDate(text, layout);
  const fraction = micro ? /^[.,](\d{6})/.exec(reading.rest) : /^[.,](\d+)/.exec(reading.rest);
  if (micro && fraction === null) throw cannotParse(text, layout, reading.rest, ".000000");
  if (fraction !== null) {
    reading.micros = Number(fraction[1]!.slice(0, 6).padEnd(6, "0"));
    reading.rest = reading.rest.slice(fraction[0].length);
  }
  readZone(text, layout, reading);
  const [year, month, day, hour, minute, second] = reading.numbers as [number, number, number, number, number, number];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (day < 1 || date.getUTCDate() !== day) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: day out of range`);
  return { seconds: date.getTime() / 1_000 + hour * 3_600 + minute * 60 + second - reading.offsetMinutes * 60, micros: reading.micros };
}

/** The text upstream writes for a time (whole seconds), undefined for Go's zero time. Throws GoTimeError. */
export function canonicalTime(text: string): string | undefined {
  if (PLAIN_TIME.test(text) && !text.startsWith("0001")) return text;
  const { seconds, micros } = parseSeconds(text, false);
  if (seconds === ZERO_SECONDS && micros === 0) return undefined;
  return `${new Date(seconds * 1_000).toISOString().slice(0, -5)}Z`;
}

/** The text upstream writes for a time with microseconds, undefined for Go's zero time. Throws GoTimeError. */
export function canonicalMicroTime(text: string): string | undefined {
  if (PLAIN_MICRO.test(text) && !text.startsWith("0001")) return text;
  const { seconds, micros } = parseSeconds(text, true);
  if (seconds === ZERO_SECONDS && micros === 0) return undefined;
  return `${new Date(seconds * 1_000).toISOString().slice(0, -5)}.${String(micros).padStart(6, "0")}Z`;
}
