/** Times as the API writes them. Counterpart: apimachinery `meta/v1` Time and MicroTime. */

let lastSecond = NaN, lastTimestamp = "";
/** `2026-01-02T03:04:05Z`: metav1.Time has whole seconds. The last answer is kept: thousands of objects are stamped in one second. */
export function toTimestamp(at: Date): string {
  const second = Math.floor(at.getTime() / 1_000);
  if (second !== lastSecond) {
    lastTimestamp = `${at.toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTimestamp;
}

/** `2026-01-02T03:04:05.678000Z`: metav1.MicroTime. */
export const toMicroTimestamp = (at: Date): string => at.toISOString().replace("Z", "000Z");

/** Milliseconds since the epoch; undefined for an absent or unreadable time. */
export function timestampMs(text: string | undefined | null): number | undefined {
  if (text === undefined || text === null || text === "") return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
