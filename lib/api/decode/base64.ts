/** Base64 as Go's decoder takes it: padded, line breaks ignored. Counterpart: `encoding/base64` StdEncoding. */
const OTHER = /[^A-Za-z0-9+/]/;
const ALPHABET = /[A-Za-z0-9+/]/;

/** A text that is no base64; the message is Go's. */
export class Base64Error extends Error { override readonly name = "Base64Error"; }

function corruptAt(text: string): number | undefined {
  let quantum = 0, i = 0;
  const skipBreaks = (): void => { while (text[i] === "\r" || text[i] === "\n") i++; };
  for (skipBreaks(); i < text.length; skipBreaks()) {
    const c = text[i]!;
    if (ALPHABET.test(c)) { quantum = (quantum + 1) % 4; i++; continue; }
    if (c !== "=" || quantum < 2) return i;
    i++;
    skipBreaks();
    if (quantum === 2) {
      if (i >= text.length) return text.length;
      if (text[i] !== "=") return i - 1;
      i++;
      skipBreaks();
    }
    return i < text.length ? i : undefined;
  }
  return quantum === 0 ? undefined : text.length - quantum;
}

/** The text Go writes for the bytes that `text` encodes. Throws Base64Error. */
export function canonicalBase64(text: string): string {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  if (text.length % 4 === 0 && !OTHER.test(padding === 0 ? text : text.slice(0, -padding))) {
    return padding === 0 ? text : text.slice(0, -4) + Buffer.from(text.slice(-4), "base64").toString("base64");
  }
  const at = corruptAt(text);
  if (at !== undefined) throw new Base64Error(`illegal base64 data at input byte ${at}`);
  return Buffer.from(text, "base64").toString("base64");
}
