/** Words for a remote POSIX shell: what goes in as one argument comes out as one, whatever is in it. Counterpart: Python `shlex.quote`. */

const PLAIN = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./-]*$/; // No "=" in front: `A=b` as the first word would be an assignment.

/** One word, quoted only where a shell would read more into it. Throws on a NUL, which no argument can hold. */
export function quoteWord(word: string): string {
  if (word.includes("\0")) throw new RangeError(`Cannot quote ${JSON.stringify(word)}: an argument holds no NUL`);
  return PLAIN.test(word) && !word.includes("=") ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A command line that runs exactly these arguments. */
export const quoteWords = (words: readonly string[]): string => words.map(quoteWord).join(" ");
