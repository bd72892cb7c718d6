/**
 * Words of a rule, quoted as iptables quotes them: bare when made of letters, digits, `_` and `-`, else in double quotes
 * with `"`, `'` and `\` escaped. `iptables-restore` reads the same form back. (Addresses, ports and marks are printed bare by
 * their own code in iptables; only free text such as comments goes through this.)
 */
const BARE = /^[A-Za-z0-9_-]+$/;

/** One free-text word as iptables prints it. Line breaks cannot be expressed and are refused with RangeError. */
export function quoteWord(text: string): string {
  if (/[\n\r\0]/.test(text)) throw new RangeError(`Cannot quote ${JSON.stringify(text)}: it has a line break`);
  return BARE.test(text) ? text : `"${text.replace(/["'\\]/g, "\\$&")}"`;
}

/** Splits a rule's body into its words, quotes taken off. Throws RangeError on an open quote. */
export function splitArguments(body: string): string[] {
  const words: string[] = [];
  let word = "", inWord = false, inQuote = false;
  for (let i = 0; i < body.length; i++) {
    const c = body[i]!;
    if (inQuote) {
      if (c === "\\" && i + 1 < body.length) word += body[++i]!;
      else if (c === '"') inQuote = false;
      else word += c;
    } else if (c === '"') {
      inQuote = true;
      inWord = true;
    } else if (c === " " || c === "\t") {
      if (inWord) words.push(word);
      word = "";
      inWord = false;
    } else {
      word += c;
      inWord = true;
    }
  }
  if (inQuote) throw new RangeError(`Cannot split ${JSON.stringify(body)}: a quote is never closed`);
  if (inWord) words.push(word);
  return words;
}
