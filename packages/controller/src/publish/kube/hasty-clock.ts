// For tests: a clock by which nothing is ever asked twice at one time, as real clocks are.

import type { Clock, FakeClock } from "@fairlead/runtime";

/** Time that goes on while somebody thinks, with timers that fire half a millisecond early. */
export function hastyClock(clock: FakeClock): Clock {
  let [thoughtMs, latestMs] = [0, 0];
  return {
    ...clock,
    nowMs: () => {
      thoughtMs += 0.3;
      latestMs = Math.max(latestMs, clock.nowMs() + thoughtMs);
      return latestMs;
    },
    setTimer: (delayMs, run) =>
      clock.setTimer(delayMs > 1 ? delayMs - 0.5 : delayMs, () => {
        thoughtMs = 0;
        run();
      }),
  };
}
