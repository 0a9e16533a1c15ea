// How long to wait before a kind is followed again: longer after each failure in a row, and as long
// as the server asks. A kind that the server does not know may be asked for more seldom. A server
// that answers again, be it that it starts, is not left alone for as long as while it was away.

import { createBackoff } from "@fairlead/runtime";

import { isKubeError } from "../../kube/kube-errors.ts";

/** Waits between two tries, in ms. */
const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 30_000;

/** The waits of one kind. */
export interface ListWaits {
  /** After this failure; undefined: the server ended a watch before its time. */
  nextMs(failure: unknown): number;
  /** Starts over, after something that lasted. */
  reset(): void;
}

/** Makes them, as if nothing had failed yet. */
export function createListWaits(options: {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Longest wait while the server does not know the kind, in ms. Default: as after any failure. */
  readonly unknownMsMax?: number | undefined;
}): ListWaits {
  const { random, unknownMsMax = WAIT_MS_MAX } = options;
  const baseMs = 2 * WAIT_MS_MIN;
  const away = createBackoff({ baseMs, maxMs: WAIT_MS_MAX, random });
  const unknown = createBackoff({ baseMs, maxMs: unknownMsMax, random });
  const answered = createBackoff({ baseMs, maxMs: WAIT_MS_MAX, random });
  return {
    nextMs: (failure) => {
      let backoff = answered;
      if (isKubeError(failure, "UNREACHABLE", "TIMEOUT")) backoff = away;
      if (isKubeError(failure, "NOT_FOUND")) backoff = unknown;
      const askedMs = isKubeError(failure) ? (failure.retryAfterMs ?? 0) : 0;
      return Math.max(WAIT_MS_MIN, backoff.nextMs(), askedMs);
    },
    reset: () => {
      away.reset();
      unknown.reset();
      answered.reset();
    },
  };
}
