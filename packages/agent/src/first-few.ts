// A list in words that stays short, however long it is. Pure.

/** Items that are named at most. */
const NAMED_MAX = 5;

/** `a, b, c, d, e and 3 more`; all of them where they are five or fewer. */
export function firstFew(items: readonly string[]): string {
  const more = items.length - NAMED_MAX;
  const named = items.slice(0, NAMED_MAX).join(", ");
  return more > 0 ? `${named} and ${more} more` : named;
}
