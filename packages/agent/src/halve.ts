// Finds what a daemon refuses, where it only says that it refuses all of it: halves are offered
// until each is taken or is one thing. Given what offers and what keeps the refused.

import type { Remark } from "@fairlead/model";

/** Offers of one pass; each may cost a reload. */
export const TRIES_MAX = 16;

/** How parts are offered. */
export interface Halving<T> {
  /** Whether no more may be offered: what is left is refused together. */
  readonly isSpent: () => boolean;
  /** Offers a part beside what was taken; resolves with the words that refuse it, if any. */
  readonly offer: (part: readonly T[], before: Remark) => Promise<Remark | undefined>;
  readonly refuse: (part: readonly T[], remark: Remark) => void;
}

/** Halves what was refused together with these words. */
export async function halve<T>(
  halving: Halving<T>,
  refused: readonly T[],
  remark: Remark,
): Promise<void> {
  if (refused.length <= 1 || halving.isSpent()) return halving.refuse(refused, remark);
  const middle = Math.ceil(refused.length / 2);
  for (const half of [refused.slice(0, middle), refused.slice(middle)]) {
    const again = await halving.offer(half, remark);
    if (again !== undefined) await halve(halving, half, again);
  }
}
