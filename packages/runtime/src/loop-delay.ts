// How late the event loop runs its timers: by a timer of its own, or by the timers that a program
// sets anyway, which an idle one pays nothing for. Given neither, it measures nothing.

import assert from "node:assert";
import { createHistogram, type Histogram, monitorEventLoopDelay } from "node:perf_hooks";

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
 * Measures by a timer of its own.
 * @param everyMs how often it runs, a whole number from 1: a shorter delay may be missed, and an
 * idle program is woken as often.
 */
export function watchLoopDelay(everyMs: number): LoopDelay {
  assert(Number.isSafeInteger(everyMs) && everyMs >= 1, "a loop is looked at every so many ms");
  const histogram = monitorEventLoopDelay({ resolution: everyMs });
  histogram.enable();
  return {
    // Each sample includes the interval itself.
    take: () => taken(histogram, everyMs * NANOSECONDS_PER_MS),
    [Symbol.dispose]: () => void histogram.disable(),
  };
}

/** Measures by the timers of a clock, as `createSystemClock` tells of them. */
export function createTimerDelay(): TimerDelay {
  const histogram = createHistogram();
  return {
    add: (lateMs) => histogram.record(Math.max(1, Math.round(lateMs * NANOSECONDS_PER_MS))),
    take: () => taken(histogram, 0),
    [Symbol.dispose]: () => undefined,
  };
}

/** A histogram without a sample says NaN or 0, and of its longest something that was never met. */
function taken(
  histogram: Pick<Histogram, "count" | "max" | "percentile" | "reset">,
  usual: number,
): LoopDelays {
  const seconds = (nanoseconds: number): number =>
    Math.max(0, (nanoseconds || 0) - usual) / NANOSECONDS_PER_SECOND;
  const delays = {
    p50: seconds(histogram.percentile(50)),
    p99: seconds(histogram.percentile(99)),
    max: seconds(histogram.count === 0 ? 0 : histogram.max),
  };
  histogram.reset();
  return delays;
}
