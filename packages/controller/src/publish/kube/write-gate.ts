// A gate that failures close: behind it one write at a time is tried, after waits that grow, until
// one succeeds. So a server that is down, and a right that is missing, cost a try now and then and
// no storm. Given the time; it waits for nothing itself.

import { type Backoff, createBackoff } from "@fairlead/runtime";

/** The first and the longest ceiling of waits between two tries, in ms. */
const BACKOFF_MS = { baseMs: 1000, maxMs: 30_000 };
/** No wait is shorter, in ms. */
export const RETRY_MS_MIN = 500;

/** The waits between tries of what failed: full jitter between 0.5 and 30 s. */
export function createRetryWaits(random: () => number): Backoff {
  return createBackoff({ ...BACKOFF_MS, random });
}

/** A gate. Times are monotonic ms. */
export interface WriteGate {
  /** Whether a write may go now. */
  mayEnter(nowMs: number): boolean;
  /** One goes; of a closed gate no other may until it ended. */
  enter(): void;
  /** A write went through: the gate is open. */
  passed(): void;
  /** A write failed: the gate is closed. `askedMs`: how long the server asks to be left alone. */
  failed(nowMs: number, askedMs?: number): void;
  /** When the next try may go; undefined while the gate is open, or one is under way. */
  dueMs(): number | undefined;
}

/** Makes an open gate. */
export function createWriteGate(random: () => number): WriteGate {
  const waits = createRetryWaits(random);
  let closedUntilMs: number | undefined;
  let isTrying = false;
  return {
    mayEnter: (nowMs) => closedUntilMs === undefined || (!isTrying && nowMs >= closedUntilMs),
    enter: () => {
      isTrying = closedUntilMs !== undefined;
    },
    passed: () => {
      closedUntilMs = undefined;
      isTrying = false;
      waits.reset();
    },
    failed: (nowMs, askedMs = 0) => {
      // Those that were under way when it closed tell nothing new.
      const isNews = closedUntilMs === undefined || isTrying;
      isTrying = false;
      if (isNews) closedUntilMs = nowMs + Math.max(RETRY_MS_MIN, waits.nextMs(), askedMs);
    },
    dueMs: () => (isTrying ? undefined : closedUntilMs),
  };
}
