// How late the event loop runs its timers: by a timer of its own, or by the timers that a program
// sets anyway, which an idle one pays nothing for. Given neither, it measures nothing.

import assert from "node:assert";
import { createHistogram, type RecordableHistogram } from "node:perf_hooks";

/** What was measured since it was read last, in seconds; all 0 where nothing was. */
export interface LoopDelays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measures how late timers run. Disposing ends that. */
export interface LoopDelay extends Disposable {
  /** Reads what was measured, and begins anew. */
  take(): LoopDelays;
}

/** Measures by timers that somebody else sets. */
export interface TimerDelay extends LoopDelay {
  /** One of them ran so much later than it was to, in ms; a negative value counts as 0. */
  add(lateMs: number): void;
}

const NANOSECONDS_PER_MS = 1e6;
const NANOSECONDS_PER_SECOND = 1e9;

/**
 * Measures by a timer of its own. A block of the loop shows as at most so long as it was, and as
 * less by at most the time between two looks: so much of it may lie before the timer is due.
 * @param everyMs how often it runs, a whole number from 1: an idle program is woken as often.
 */
export function watchLoopDelay(everyMs: number): LoopDelay {
  assert(Number.isSafeInteger(everyMs) && everyMs >= 1, "a loop is looked at every so many ms");
  const histogram = createHistogram();
  let lookedMs = performance.now();
  const look = (): void => {
    const nowMs = performance.now();
    record(histogram, nowMs - lookedMs - everyMs);
    lookedMs = nowMs;
  };
  // Node's own monitor forgets at a reset when it looked last, and so a block around it.
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    take: () => {
      // Whoever asks may have waited for the end of a block, and the timer waits behind him.
      if (performance.now() - lookedMs > everyMs) look();
      return taken(histogram);
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** Measures by the timers of a clock, as `createSystemClock` tells of them. */
export function createTimerDelay(): TimerDelay {
  const histogram = createHistogram();
  return {
    add: (lateMs) => record(histogram, lateMs),
    take: () => taken(histogram),
    [Symbol.dispose]: () => undefined,
  };
}

/** A histogram takes whole numbers from 1. */
function record(histogram: RecordableHistogram, lateMs: number): void {
  histogram.record(Math.max(1, Math.round(lateMs * NANOSECONDS_PER_MS)));
}

/** A histogram without a sample says 0, and of its longest something that was never met. */
function taken(histogram: RecordableHistogram): LoopDelays {
  const seconds = (nanoseconds: number): number => nanoseconds / NANOSECONDS_PER_SECOND;
  const delays = {
    p50: seconds(histogram.percentile(50)),
    p99: seconds(histogram.percentile(99)),
    max: seconds(histogram.count === 0 ? 0 : histogram.max),
  };
  histogram.reset();
  return delays;
}
