/** Times as the API writes them. Counterpart: apimachinery `meta/v1` Time and MicroTime. */

/** `2026-01-02T03:04:05Z`: metav1.Time has whole seconds. */
export const toTimestamp = (at: Date): string => `${at.toISOString().slice(0, 19)}Z`;

/** `2026-01-02T03:04:05.678000Z`: metav1.MicroTime. */
export const toMicroTimestamp = (at: Date): string => at.toISOString().replace("Z", "000Z");

/** Milliseconds since the epoch; undefined for an absent or unreadable time. */
export function timestampMs(text: string | undefined | null): number | undefined {
  if (text === undefined || text === null || text === "") return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
