// Finds the known word that somebody most likely meant. Given a mistyped word and the known ones.

const DISTANCE_MAX = 3;

/** The known word nearest to `word`, or undefined when none is near enough to be a typing error. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const candidate of known) {
    // A word of very different length is never near; this also bounds the work for long input.
    if (Math.abs(candidate.length - word.length) > DISTANCE_MAX) continue;
    const distance = editDistance(word, candidate);
    if (distance <= DISTANCE_MAX && distance < candidate.length / 2) {
      if (best === undefined || distance < best.distance) best = { word: candidate, distance };
    }
  }
  return best?.word;
}

/** Levenshtein's distance: insertions, deletions and replacements of one character. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
