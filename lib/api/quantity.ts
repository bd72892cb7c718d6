/**
 * Quantities: `100m`, `1.5Gi`, `12e6`. Exact arithmetic, upstream's canonical form and error texts.
 *
 * Guarantees: nothing is lost but what upstream loses too (below one nano it rounds away from zero, a binary quantity
 * is capped at 2^63-1); a text that upstream prints as it came is printed as it came.
 * Counterpart: apimachinery `api/resource`.
 */
type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

export interface Quantity {
  /** The amount is `unscaled * 10^scale`. */
  readonly unscaled: bigint;
  readonly scale: number;
  readonly format: QuantityFormat;
  /** The text it came as, where that is how it is printed. */
  readonly text?: string;
}

/** A text that is no quantity. The message is upstream's. */
export class QuantityError extends Error { override readonly name = "QuantityError"; }

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const SUFFIX_WRONG = "unable to parse quantity's suffix";
const NUMERIC_WRONG = "unable to parse numeric part of quantity";

const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, "": 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, number> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL_SUFFIXES = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const INT64_MAX = 2n ** 63n - 1n;
const INT64_DIGITS = 18;
const NANO = -9;

const POWERS = Array.from({ length: 64 }, (_, exponent) => 10n ** BigInt(exponent));
/** `10^exponent`. */
const ten = (exponent: number): bigint => POWERS[exponent] ?? 10n ** BigInt(exponent);
const abs = (value: bigint): bigint => (value < 0n ? -value : value);

function divideAwayFromZero(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return value % divisor === 0n ? quotient : value < 0n ? quotient - 1n : quotient + 1n;
}

function interpretSuffix(suffix: string): { exponent: number; format: QuantityFormat } {
  if (Object.hasOwn(DECIMAL, suffix)) return { exponent: DECIMAL[suffix]!, format: "DecimalSI" };
  if (Object.hasOwn(BINARY, suffix)) return { exponent: BINARY[suffix]!, format: "BinarySI" };
  if (!/^[eE][-+]?\d{1,9}$/.test(suffix)) throw new QuantityError(SUFFIX_WRONG);
  return { exponent: Number(suffix.slice(1)), format: "DecimalExponent" };
}

/** Upstream keeps the text of a number that already looks canonical to its fast path. */
function keepsText(format: QuantityFormat, scale: number, exponent: number, digits: string): boolean {
  if (format === "BinarySI") return exponent % 10 === 0 && (Number(digits) & 7) !== 0;
  return scale % 3 === 0 && !digits.endsWith("000") && digits[0] !== "0";
}

function precisionLeft(format: QuantityFormat, exponent: number, integer: string, fraction: string): number {
  if (format !== "BinarySI") return INT64_DIGITS - integer.length - fraction.length;
  if (fraction !== "") return -1;
  return 15 - integer.length - Math.trunc((exponent * 3) / 10) - 1;
}

const REMEMBERED_MAX = 4_096; // Few distinct texts occur in a cluster; beyond this the memory is dropped and begun anew.
const parsed = new Map<string, Quantity>();

function remember<T>(memory: Map<string, T>, text: string, value: T): void {
  if (memory.size >= REMEMBERED_MAX) memory.clear();
  if (text.length <= 32) memory.set(text, value);
}

/** Parses a quantity. Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const quantity = parseFresh(text);
  remember(parsed, text, quantity);
  return quantity;
}

function parseFresh(text: string): Quantity {
  const match = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text);
  if (text === "" || match === null) throw new QuantityError(FORMAT_WRONG);
  const negative = match[1] === "-", integer = match[2] === "" ? "0" : match[2]!, fraction = match[3] ?? "", suffix = match[4]!;
  const { exponent, format } = interpretSuffix(suffix);
  if (Math.abs(exponent) > 10_000) throw new QuantityError(NUMERIC_WRONG); // Upstream would build a number of that many digits.
  const digits = integer + fraction;
  const factor = format === "BinarySI" ? 2n ** BigInt(exponent) : 1n;
  const scale = (format === "BinarySI" ? 0 : exponent) - fraction.length;
  const magnitude = BigInt(digits) * factor;
  const sign = negative ? -1n : 1n;
  if (precisionLeft(format, exponent, integer, fraction) >= 0 && scale >= NANO) {
    const kept = keepsText(format, scale, exponent, digits);
    return { unscaled: sign * magnitude, scale, format, ...(kept ? { text } : {}) };
  }
  return capped(magnitude, scale, format, sign);
}

function capped(magnitude: bigint, scale: number, format: QuantityFormat, sign: bigint): Quantity {
  if (scale < NANO) {
    magnitude = divideAwayFromZero(magnitude, ten(NANO - scale));
    scale = NANO;
  }
  if (format === "BinarySI") {
    const one = ten(Math.max(0, -scale));
    if (magnitude > INT64_MAX * one) return { unscaled: sign * INT64_MAX, scale: 0, format };
    if (magnitude > 0n && magnitude < one) format = "DecimalSI";
  }
  return { unscaled: sign * magnitude, scale, format };
}

const read = (quantity: Quantity | string): Quantity => (typeof quantity === "string" ? parseQuantity(quantity) : quantity);

/** Removes factors of `base` from `value`; returns how many. */
function removeFactors(value: bigint, base: bigint): [bigint, number] {
  let count = 0;
  while (value !== 0n && value % base === 0n) { value /= base; count++; }
  return [value, count];
}

/** The canonical text: no fraction, the largest suffix that loses nothing, no sign unless negative. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.unscaled === 0n) return "0";
  if (quantity.format === "BinarySI") {
    const whole = quantity.scale >= 0 ? quantity.unscaled * ten(quantity.scale) : undefined;
    const one = quantity.scale >= 0 ? 1n : ten(-quantity.scale);
    const exact = whole ?? (quantity.unscaled % one === 0n ? quantity.unscaled / one : undefined);
    if (exact !== undefined && abs(exact) >= 1024n) {
      const [amount, times] = removeFactors(exact, 1024n);
      return `${amount}${BINARY_SUFFIXES[times] ?? ""}`;
    }
  }
  const [amount, times] = removeFactors(quantity.unscaled, 10n);
  const exponent = quantity.scale + times, over = ((exponent % 3) + 3) % 3;
  const number = amount * ten(over), tripled = exponent - over;
  if (quantity.format === "DecimalExponent") return tripled === 0 ? `${number}` : `${number}e${tripled}`;
  return `${number}${DECIMAL_SUFFIXES.get(tripled) ?? ""}`;
}

const ALREADY_CANONICAL = /^[1-9][0-9]{0,2}(?:m|k|M|G|T|)$/;

const canonical = new Map<string, string>();

/** The text upstream stores for `text`; spaces around it are ignored. Throws QuantityError. */
export function canonicalQuantity(text: string): string {
  const known = ALREADY_CANONICAL.test(text) ? text : canonical.get(text);
  if (known !== undefined) return known;
  const written = formatQuantity(parseQuantity(text.trim()));
  remember(canonical, text, written);
  return written;
}

function aligned(a: Quantity, b: Quantity): [bigint, bigint, number] {
  if (a.scale === b.scale) return [a.unscaled, b.unscaled, a.scale];
  const scale = Math.min(a.scale, b.scale);
  return [a.unscaled * ten(a.scale - scale), b.unscaled * ten(b.scale - scale), scale];
}

/** -1, 0 or 1, as for sorting. */
export function compareQuantity(a: Quantity | string, b: Quantity | string): number {
  const one = read(a), other = read(b);
  if (other.unscaled === 0n) return one.unscaled < 0n ? -1 : one.unscaled > 0n ? 1 : 0;
  const [left, right] = aligned(one, other);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, in the format of `a` unless that is zero. */
export function addQuantity(a: Quantity | string, b: Quantity | string): Quantity {
  const left = read(a), right = read(b), [x, y, scale] = aligned(left, right);
  return { unscaled: x + y, scale, format: left.unscaled === 0n ? right.format : left.format };
}

/** The difference, in the format of `a` unless that is zero. */
export function subtractQuantity(a: Quantity | string, b: Quantity | string): Quantity {
  const right = read(b);
  return addQuantity(a, { unscaled: -right.unscaled, scale: right.scale, format: right.format });
}

function scaledValue(quantity: Quantity, scale: number): bigint {
  const shift = quantity.scale - scale;
  return shift >= 0 ? quantity.unscaled * ten(shift) : divideAwayFromZero(quantity.unscaled, ten(-shift));
}

/** The amount as a whole number, rounded away from zero. Exact up to 2^53 (8 Pi). */
export const quantityValue = (quantity: Quantity | string): number => Number(scaledValue(read(quantity), 0));

/** Thousandths of the amount, rounded away from zero: CPU is counted so. Exact up to 2^53. */
export const milliValue = (quantity: Quantity | string): number => Number(scaledValue(read(quantity), -3));

/** A quantity of `value` whole units, printed with decimal suffixes unless told otherwise. */
export const newQuantity = (value: number, format: QuantityFormat = "DecimalSI"): Quantity => ({ unscaled: BigInt(value), scale: 0, format });

/** A quantity of `value` thousandths. */
export const newMilliQuantity = (value: number, format: QuantityFormat = "DecimalSI"): Quantity => ({ unscaled: BigInt(value), scale: -3, format });
