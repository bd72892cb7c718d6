/** Order of keys: by code point, which is the order of their UTF-8 bytes and so SQLite's and etcd's; JavaScript's `<` differs beyond U+FFFF. */

/** For sorting. */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i), y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for code points above every other unit.
    if (x >= 0xd800 && y >= 0xd800) { x = x >= 0xe000 ? x - 0x800 : x + 0x2000; y = y >= 0xe000 ? y - 0x800 : y + 0x2000; }
    return x - y;
  }
  return a.length - b.length;
}

/** The first text after every key that starts with `prefix`. No key may contain U+10FFFF. */
export const prefixEnd = (prefix: string): string => `${prefix}\u{10FFFF}`;
