// A clock that stands still until a test moves it. Timers run in the order of their due time, and
// between two of them whatever they set in motion is given the chance to finish. It reads no real
// time; real I/O (sockets, files) is not waited for, only promises and immediates.

import assert from "node:assert";
import { setImmediate } from "node:timers/promises";
import { type Clock, sleepWith, type Timer } from "./clock.ts";

/** A clock under a test's control. */
export interface FakeClock extends Clock {
  /**
   * Moves time on by `ms`, running every timer that falls due on the way, also those set by other
   * timers. Pending work settles before the first timer, after each one, and at the end.
   */
  advance(ms: number): Promise<void>;
  /**
   * Jumps from timer to timer until `isDone` is true, at most `limitMs` from now. Returns whether
   * it became true. Time stops where it became true.
   */
  advanceUntil(isDone: () => boolean, limitMs: number): Promise<boolean>;
  /** Lets promises and immediates run without moving time. */
  settle(): Promise<void>;
  /** How many timers are set and have not run. */
  pendingTimers(): number;
}

/** How a fake clock starts. */
export interface FakeClockOptions {
  /** Epoch milliseconds at the start. Default: 2026-01-01T00:00:00Z. */
  readonly wallMs?: number;
  /** Rounds of immediates in one settling; more lets longer chains finish. Default 8. */
  readonly settleRounds?: number;
}

interface PendingTimer {
  readonly dueMs: number;
  readonly sequence: number;
  readonly run: () => void;
}

/** More timers than this in one advance is a timer that sets itself with delay 0. */
const TIMERS_PER_ADVANCE_MAX = 1_000_000;

/** Makes a fake clock whose monotonic time starts at 0. */
export function createFakeClock(options: FakeClockOptions = {}): FakeClock {
  const startWallMs = options.wallMs ?? Date.UTC(2026, 0, 1);
  const settleRounds = options.settleRounds ?? 8;
  const timers = new Set<PendingTimer>();
  let nowMs = 0;
  let sequence = 0;
  let isAdvancing = false;

  function setTimer(delayMs: number, run: () => void): Timer {
    assert(!Number.isNaN(delayMs), "a timer needs a delay that is a number");
    sequence += 1;
    const timer = { dueMs: nowMs + Math.max(0, delayMs), sequence, run };
    timers.add(timer);
    return { cancel: () => void timers.delete(timer) };
  }

  async function settle(): Promise<void> {
    for (let round = 0; round < settleRounds; round += 1) await setImmediate();
  }

  async function advanceUntil(isDone: () => boolean, limitMs: number): Promise<boolean> {
    assert(limitMs >= 0, "time does not go backwards");
    assert(!isAdvancing, "one advance at a time: await the one before");
    isAdvancing = true;
    try {
      const endMs = nowMs + limitMs;
      for (let ran = 0; ran < TIMERS_PER_ADVANCE_MAX; ran += 1) {
        await settle();
        if (isDone()) return true;
        const next = earliest(timers, endMs);
        if (next === undefined) {
          nowMs = endMs;
          return false;
        }
        timers.delete(next);
        nowMs = next.dueMs;
        next.run();
      }
      assert.fail(`more than ${TIMERS_PER_ADVANCE_MAX} timers ran in one advance`);
    } finally {
      isAdvancing = false;
    }
  }

  return {
    nowMs: () => nowMs,
    wallMs: () => startWallMs + nowMs,
    setTimer,
    sleep: (delayMs, signal) => sleepWith(setTimer, delayMs, signal),
    advance: async (ms) => void (await advanceUntil(() => false, ms)),
    advanceUntil,
    settle,
    pendingTimers: () => timers.size,
  };
}

function earliest(timers: ReadonlySet<PendingTimer>, endMs: number): PendingTimer | undefined {
  let first: PendingTimer | undefined;
  for (const timer of timers) {
    if (timer.dueMs > endMs) continue;
    const isEarlier =
      first === undefined ||
      timer.dueMs < first.dueMs ||
      (timer.dueMs === first.dueMs && timer.sequence < first.sequence);
    if (isEarlier) first = timer;
  }
  return first;
}
