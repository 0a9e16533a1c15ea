// The clock of one process that can be killed: with it all its timers are gone, and whatever it was
// waiting for never comes, as after kill -9. Given the clock of the whole stage.

import type { Clock, Timer } from "@fairlead/runtime";

/** A clock with an end. */
export interface ProcessClock extends Clock {
  /** Nothing that waits on this clock goes on. */
  kill(): void;
  readonly isKilled: boolean;
}

/** Makes the clock of a process that lives. */
export function createProcessClock(clock: Clock): ProcessClock {
  const timers = new Set<Timer>();
  let isKilled = false;

  function setTimer(delayMs: number, run: () => void): Timer {
    if (isKilled) return { cancel: () => undefined };
    const timer = clock.setTimer(delayMs, () => {
      timers.delete(timer);
      run();
    });
    timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        timers.delete(timer);
      },
    };
  }

  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    setTimer,
    sleep: (delayMs) => new Promise((resolve) => void setTimer(delayMs, resolve)),
    kill: () => {
      isKilled = true;
      for (const timer of timers) timer.cancel();
      timers.clear();
    },
    get isKilled() {
      return isKilled;
    },
  };
}
