/** A number given as a count or a share. Pure. Counterpart: apimachinery `util/intstr` GetScaledValueFromIntOrPercent. */

/** `"25%"` of `total`, or the number itself; anything unreadable is 0 (validation refuses it). */
export function scaledValue(value: string | number | undefined, total: number, round: (n: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value ?? "");
  return percent === null ? 0 : round((Number(percent[1]) * total) / 100);
}
