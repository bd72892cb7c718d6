/**
 * Durations for people: `45s`, `3m20s`, `5d3h`, `2y10d`; at most three significant digits.
 * Counterpart: apimachinery `util/duration` and the printers' translation of timestamps.
 */

/** `milliseconds` may be negative by up to two seconds of clock skew; beyond that it is `<invalid>`. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (hours < 24 * 365 * 2) return `${days}d`;
  const years = Math.trunc(hours / 24 / 365);
  if (hours < 24 * 365 * 8) return withRest(years, "y", days % 365, "d");
  return `${years}y`;
}

const withRest = (value: number, unit: string, rest: number, restUnit: string): string => (rest === 0 ? `${value}${unit}` : `${value}${unit}${rest}${restUnit}`);

/** The time since an RFC 3339 timestamp; `<unknown>` when there is none. */
export function ageSince(timestamp: string | undefined | null, now: Date): string {
  if (timestamp === undefined || timestamp === null || timestamp === "") return "<unknown>";
  return humanDuration(now.getTime() - Date.parse(timestamp));
}
