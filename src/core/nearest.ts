// What somebody may have meant who has mistyped a name: data for "did you mean", wherever names are read.

/** Number of insertions, deletions, replacements and swaps of neighbours between two words. */
export function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [
    i,
    ...Array.from({ length: b.length }, () => 0),
  ]);
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= b.length; j++) (rows[0] as number[])[j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(cell(i - 1, j) + 1, cell(i, j - 1) + 1, cell(i - 1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, cell(i - 2, j - 2) + 1);
      }
      (rows[i] as number[])[j] = least;
    }
  }
  return cell(a.length, b.length);
}

/** Beyond this a name is no slip of the finger, and comparing it costs time. */
const LONGEST = 40;

/**
 * The known word that is one slip away from a given one (two from one of more than four letters), the first of equals; null where
 * none is. Words of two letters are one slip away from half of each other: they are nobody's.
 */
export function nearestWord(word: string, known: readonly string[]): string | null {
  if (word.length < 3 || word.length > LONGEST) return null;
  let best: string | null = null;
  let least = (word.length <= 4 ? 1 : 2) + 1;
  for (const each of known) {
    if (each.length < 3 || Math.abs(each.length - word.length) >= least) continue;
    const distance = editDistance(word, each);
    if (distance < least) [best, least] = [each, distance];
  }
  return best;
}

/** The name that was meant: a slip away, or one that begins so. */
function meant(name: string, known: readonly string[]): string | null {
  const near = nearestWord(name.toLowerCase(), known);
  if (near !== null || name.length < 3 || name.length > LONGEST) return near;
  return known.find((each) => each.startsWith(name.toLowerCase())) ?? null;
}

/** The end of a message about an unknown name: ": did you mean 'beam'?", or nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const found = meant(name, known);
  return found === null ? '' : `: did you mean '${found}'?`;
}
