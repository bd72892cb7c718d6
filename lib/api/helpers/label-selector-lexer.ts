/** Splits label selector text into tokens. Counterpart: apimachinery `labels.Lexer`. */
const SYMBOLS = [")", ",", "!", "==", "=", ">", "<", "!=", "("] as const;
type Symbol = (typeof SYMBOLS)[number];
export interface Token { readonly kind: Symbol | "in" | "notin" | "word" | "error" | "end"; readonly text: string }

const isSymbol = (text: string): text is Symbol => (SYMBOLS as readonly string[]).includes(text);
const isSpecial = (c: string | undefined): boolean => c !== undefined && "=!(),><".includes(c);
const isSpace = (c: string | undefined): boolean => c === " " || c === "\t" || c === "\r" || c === "\n";

/** Tokens of `text`, ended by one of kind "end". A NUL ends the text, as upstream reads it. */
export function lexSelector(text: string): Token[] {
  const nul = text.indexOf("\0"), end = nul < 0 ? text.length : nul, tokens: Token[] = [];
  let i = 0;
  for (;;) {
    while (i < end && isSpace(text[i])) i++;
    if (i >= end) break;
    const start = i;
    if (isSpecial(text[i])) {
      // The longest symbol, in upstream's greedy reading.
      let symbol: Symbol | undefined, buffer = "";
      for (; i < end && isSpecial(text[i]); i++) {
        buffer += text[i]!;
        if (isSymbol(buffer)) symbol = buffer;
        else if (symbol !== undefined) break;
      }
      tokens.push(symbol === undefined ? { kind: "error", text: `error expected: keyword found '${buffer}'` } : { kind: symbol, text: symbol });
    } else {
      while (i < end && !isSpecial(text[i]) && !isSpace(text[i])) i++;
      const word = text.slice(start, i);
      tokens.push({ kind: word === "in" || word === "notin" ? word : "word", text: word });
    }
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}
