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
const DESCRIPTORS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);
const EVERY = "@every ";
const durationRegexp = /^[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const zoneRegexp = /^(?:CRON_)?TZ=/;

class CronSyntaxError extends Error { override readonly name = "CronSyntaxError"; }

/** What is wrong with a schedule; undefined when it can be read. */
export function cronFault(schedule: string): string | undefined {
  try {
    parse(schedule);
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

function parse(schedule: string): void {
  if (schedule === "") throw new CronSyntaxError("empty spec string");
  const text = withoutZone(schedule);
  if (text.startsWith("@")) {
    parseDescriptor(text);
    return;
  }
  const fields = text.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== FIELDS.length) throw new CronSyntaxError(`expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(" ")}]`);
  FIELDS.forEach((field, i) => {
    for (const range of fields[i]!.split(",").filter((part) => part !== "")) parseRange(range, field);
  });
}

function withoutZone(schedule: string): string {
  if (!zoneRegexp.test(schedule)) return schedule;
  const end = schedule.indexOf(" "), zone = schedule.slice(schedule.indexOf("=") + 1, end < 0 ? undefined : end);
  if (!isTimeZone(zone)) throw new CronSyntaxError(`provided bad location ${zone}: unknown time zone ${zone}`);
  return end < 0 ? "" : schedule.slice(end).trim();
}

function parseDescriptor(text: string): void {
  if (DESCRIPTORS.has(text)) return;
  if (!text.startsWith(EVERY)) throw new CronSyntaxError(`unrecognized descriptor: ${text}`);
  const duration = text.slice(EVERY.length);
  if (!durationRegexp.test(duration)) throw new CronSyntaxError(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`);
}

/** `*`, `?`, `5`, `1-5`, each with `/step` behind it if need be. */
function parseRange(text: string, field: Field): void {
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
}

function parseNumber(text: string, field?: Field): number {
  const index = field?.names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return field!.min + index;
  if (!/^[-+]?\d+$/.test(text)) throw new CronSyntaxError(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (value < 0) throw new CronSyntaxError(`negative number (${value}) not allowed: ${text}`);
  return value;
}
