// Finds what a daemon refuses, where it only says that it refuses all of it: halves are offered
// until each is taken or is one thing. Given what offers and what keeps the refused. What was not
// found when no more may be offered is nobody's fault yet: it waits for the next pass.

import type { Remark } from "@fairlead/model";

/**
 * Offers of one pass; each may cost a reload. More than it takes to come from all to one of 10 000,
 * so that each pass finds one at least.
 */
export const TRIES_MAX = 16;

/** How parts are offered. */
export interface Halving<T> {
  /** Whether no more may be offered. */
  readonly isSpent: () => boolean;
  /** Offers a part beside what was taken; resolves with the words that refuse it, if any. */
  readonly offer: (part: readonly T[]) => Promise<Remark | undefined>;
  /** The words are this one's own. */
  readonly refuse: (one: T, remark: Remark) => void;
  /** Of these nobody knows who was refused, if any was. */
  readonly leave: (part: readonly T[]) => void;
}

/** Halves what was refused together with these words. */
export async function halve<T>(
  halving: Halving<T>,
  refused: readonly T[],
  remark: Remark,
): Promise<void> {
  const [first] = refused;
  if (first === undefined) return;
  if (refused.length === 1) return halving.refuse(first, remark);
  const middle = Math.ceil(refused.length / 2);
  for (const half of [refused.slice(0, middle), refused.slice(middle)]) {
    if (halving.isSpent()) {
      halving.leave(half);
      continue;
    }
    const again = await halving.offer(half);
    if (again !== undefined) await halve(halving, half, again);
  }
}

/** What is said of one that was left: no words of the daemon are about it. */
export function waitsItsTurn(daemon: string): Remark {
  const detail = `${daemon} refuses something that was offered with it; it is tried again shortly`;
  return { reason: "WaitingForAgent", detail };
}
