// Paces writes: so many at once, so many a second. Given the time; it waits for nothing itself.

import { assert } from "@fairlead/model";

/** A bucket that fills by itself. Times are monotonic ms. */
export interface TokenBucket {
  /** Takes one; false when there is none. */
  take(nowMs: number): boolean;
  /** When there will be one; in the past when there is. */
  dueMs(nowMs: number): number;
}

/** Makes a full bucket. */
export function createTokenBucket(options: {
  readonly perSecond: number;
  /** Most tokens in it. */
  readonly burst: number;
}): TokenBucket {
  const { perSecond, burst } = options;
  assert(perSecond > 0 && burst >= 1, "a bucket fills, and holds a token");
  let tokens = burst;
  let filledMs = Number.NEGATIVE_INFINITY;
  const fill = (nowMs: number): void => {
    tokens = Math.min(burst, tokens + ((nowMs - filledMs) * perSecond) / 1000);
    filledMs = nowMs;
  };
  return {
    take: (nowMs) => {
      fill(nowMs);
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
    dueMs: (nowMs) => {
      fill(nowMs);
      return nowMs + Math.max(0, (1 - tokens) * 1000) / perSecond;
    },
  };
}
