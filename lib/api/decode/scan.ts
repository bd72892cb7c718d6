/**
 * One cheap pass over the bytes of a JSON text, for what `JSON.parse` hides: repeated keys, numbers it rounds,
 * depth. It judges nothing: whatever it finds odd is read again by the exact parser.
 */
export interface ScanResult {
  /** Colons outside strings: as many as there are keys, repeated ones included. */
  colons: number;
  /** A number whose text `JSON.parse` may lose: long, with a fraction, an exponent, or minus zero; or too deep nesting. */
  odd: boolean;
}

/** Bodies nest no deeper. Upstream allows 10,000, but a stack of ours ends before that, in places a check here cannot see. */
export const DEPTH_MAX = 1_000;
const SAFE_DIGITS = 15;
/** Beyond this depth the exact parser takes over, which counts properly and does not exhaust the stack. */
const DEPTH_USUAL = 500;

export function scanJson(bytes: Uint8Array, result: ScanResult): void {
  const length = bytes.length;
  let colons = 0, odd = false, depth = 0, digits = 0;
  for (let i = 0; i < length; i++) {
    const c = bytes[i]!;
    if (c === 0x22) { // A string: on to its end.
      for (i++; i < length; i++) {
        const inside = bytes[i]!;
        if (inside === 0x22) break;
        if (inside === 0x5c) i++;
      }
      digits = 0;
    } else if (c >= 0x30 && c <= 0x39) {
      if (++digits > SAFE_DIGITS) odd = true;
    } else {
      if (c === 0x3a) colons++;
      else if (c === 0x7b || c === 0x5b) { if (++depth > DEPTH_USUAL) odd = true; }
      else if (c === 0x7d || c === 0x5d) depth--;
      else if (c === 0x2e || (digits > 0 && (c === 0x65 || c === 0x45)) || (c === 0x2d && bytes[i + 1] === 0x30)) odd = true;
      digits = 0;
    }
  }
  result.colons = colons;
  result.odd = odd;
}
