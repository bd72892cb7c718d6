/** What somebody probably meant: the nearest of the known words. */

/** How many letters must be added, dropped, replaced or swapped with their neighbour to get from one word to the other. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [], previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(previous[j]! + 1, row[j - 1]! + 1, previous[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j]!, beforePrevious[j - 2]! + 1);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}

const WORD_MAX = 100; // Longer ones nobody mistypes, and the work grows with the square.

/** The known word nearest to `word`, unless even that is far: more than a third of its letters. Case counts for nothing. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > WORD_MAX) return undefined;
  let best: string | undefined, least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const each of known) {
    const found = distance(word.toLowerCase(), each.toLowerCase());
    if (found < least) { least = found; best = each; }
  }
  return best;
}
