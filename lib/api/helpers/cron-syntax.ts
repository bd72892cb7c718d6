/**
 * The five-field syntax of schedules (`minute hour day month weekday`), `@daily` and siblings, `@every 1h30m`.
 * Counterpart: robfig/cron v3 `ParseStandard`, with its messages.
 */
interface Field { readonly min: number; readonly max: number; readonly names?: readonly string[] }
/** Names stand for numbers counted from `min`. */
const FIELDS: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];
const DESCRIPTORS: Readonly<Record<string, string>> = { "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *" };
const EVERY = "@every ";
const UNIT_MS: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, "µs": 1e-3, "μs": 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const durationRegexp = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const zoneRegexp = /^(?:CRON_)?TZ=/;

export class CronSyntaxError extends Error { override readonly name = "CronSyntaxError"; }

/** Which values of a field are meant. */
export interface CronField { readonly values: ReadonlySet<number>; /** Left open by `*` or `?`. */ readonly isAny: boolean }
/** What a schedule says: at which minutes, or every so often; in its own time zone if it names one. */
export interface CronSpec {
  readonly zone: string | undefined;
  readonly when: { readonly kind: "every"; readonly ms: number } | { readonly kind: "fields"; readonly minute: CronField; readonly hour: CronField; readonly day: CronField; readonly month: CronField; readonly weekday: CronField };
}

/** What is wrong with a schedule; undefined when it can be read. */
export function cronFault(schedule: string): string | undefined {
  try {
    parseCron(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof CronSyntaxError) return error.message;
    throw error;
  }
}

/** Whether the system knows a time zone of that name. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions();
    return true;
  } catch {
    return false;
  }
}

/** Reads a schedule. Throws CronSyntaxError with upstream's words. */
export function parseCron(schedule: string): CronSpec {
  if (schedule === "") throw new CronSyntaxError("empty spec string");
  const { zone, text } = splitZone(schedule), plain = DESCRIPTORS[text] ?? text;
  if (plain.startsWith("@")) return { zone, when: { kind: "every", ms: parseEvery(plain) } };
  const parts = plain.split(/\s+/).filter((field) => field !== "");
  if (parts.length !== FIELDS.length) throw new CronSyntaxError(`expected exactly ${FIELDS.length} fields, found ${parts.length}: [${parts.join(" ")}]`);
  const [minute, hour, day, month, weekday] = FIELDS.map((field, i) => parseField(parts[i]!, field));
  return { zone, when: { kind: "fields", minute: minute!, hour: hour!, day: day!, month: month!, weekday: weekday! } };
}

function splitZone(schedule: string): { zone: string | undefined; text: string } {
  if (!zoneRegexp.test(schedule)) return { zone: undefined, text: schedule };
  const end = schedule.indexOf(" "), zone = schedule.slice(schedule.indexOf("=") + 1, end < 0 ? undefined : end);
  if (!isTimeZone(zone)) throw new CronSyntaxError(`provided bad location ${zone}: unknown time zone ${zone}`);
  return { zone, text: end < 0 ? "" : schedule.slice(end).trim() };
}

/** Whole seconds, at least one. */
function parseEvery(text: string): number {
  if (!text.startsWith(EVERY)) throw new CronSyntaxError(`unrecognized descriptor: ${text}`);
  const duration = text.slice(EVERY.length);
  if (!durationRegexp.test(duration)) throw new CronSyntaxError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
  const ms = [...duration.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)].reduce((sum, [, number, unit]) => sum + Number(number) * UNIT_MS[unit!]!, 0) * (duration.startsWith("-") ? -1 : 1);
  return Math.max(1_000, Math.floor(ms / 1_000) * 1_000);
}

function parseField(text: string, field: Field): CronField {
  const values = new Set<number>();
  let isAny = false;
  for (const part of text.split(",").filter((range) => range !== "")) {
    const range = parseRange(part, field);
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
    if (range.isAny) isAny = true;
  }
  return { values, isAny };
}

/** `*`, `?`, `5`, `1-5`, each with `/step` behind it if need be. */
function parseRange(text: string, field: Field): { start: number; end: number; step: number; isAny: boolean } {
  const [range = "", step, ...moreSteps] = text.split("/"), [low = "", high, ...moreHigh] = range.split("-");
  const isAll = low === "*" || low === "?";
  if (!isAll && moreHigh.length > 0) throw new CronSyntaxError(`too many hyphens: ${text}`);
  const start = isAll ? field.min : parseNumber(low, field);
  let end = isAll ? field.max : high === undefined ? start : parseNumber(high, field);
  if (moreSteps.length > 0) throw new CronSyntaxError(`too many slashes: ${text}`);
  const every = step === undefined ? 1 : parseNumber(step);
  if (step !== undefined && high === undefined) end = field.max;
  if (start < field.min) throw new CronSyntaxError(`beginning of range (${start}) below minimum (${field.min}): ${text}`);
  if (end > field.max) throw new CronSyntaxError(`end of range (${end}) above maximum (${field.max}): ${text}`);
  if (start > end) throw new CronSyntaxError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (every === 0) throw new CronSyntaxError(`step of range should be a positive number: ${text}`);
  return { start, end, step: every, isAny: isAll && every === 1 };
}

function parseNumber(text: string, field?: Field): number {
  const index = field?.names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return field!.min + index;
  if (!/^[-+]?\d+$/.test(text)) throw new CronSyntaxError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new CronSyntaxError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
