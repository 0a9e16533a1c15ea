// How long to wait before the next try: exponential with full jitter, so that many who failed
// together do not come back together. Given its random source. It never waits by itself.

import assert from "node:assert";

/** The waits of one retried operation. */
export interface Backoff {
  /** The next wait in milliseconds: between 0 and the current ceiling, which then doubles. */
  nextMs(): number;
  /** Starts over; call it after a success that lasted. */
  reset(): void;
  /** How many waits were handed out since the start or the last reset. */
  attempts(): number;
}

/** The bounds of a backoff. */
export interface BackoffOptions {
  /** The ceiling of the first wait, above 0. */
  readonly baseMs: number;
  /** The highest ceiling, at least `baseMs`. */
  readonly maxMs: number;
  /** Uniform in [0, 1); mains pass Math.random, tests a seeded one. */
  readonly random: () => number;
}

/** Makes a backoff. Rule: "full jitter" of the AWS Architecture Blog, Exponential Backoff. */
export function createBackoff(options: BackoffOptions): Backoff {
  const { baseMs, maxMs, random } = options;
  assert(baseMs > 0 && maxMs >= baseMs, "backoff: 0 < baseMs <= maxMs");
  let attempts = 0;
  return {
    nextMs: () => {
      // Beyond 2^40 the ceiling is reached whatever the base; the bound keeps it a finite number.
      const ceilingMs = Math.min(maxMs, baseMs * 2 ** Math.min(attempts, 40));
      attempts += 1;
      return random() * ceilingMs;
    },
    reset: () => {
      attempts = 0;
    },
    attempts: () => attempts,
  };
}
