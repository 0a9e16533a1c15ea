// The clock of one process that can be killed: with it all its timers are gone, and whatever it was
// waiting for never comes, as after kill -9. One that hangs finds what fell due meanwhile when it
// goes on. Given the clock of the whole stage.

import type { Clock, Timer } from "@fairlead/runtime";

/** A clock with an end. */
export interface ProcessClock extends Clock {
  /** Nothing that waits on this clock goes on. */
  kill(): void;
  readonly isKilled: boolean;
  /** What falls due from now on waits for `goOn`, as after SIGSTOP. */
  hang(): void;
  goOn(): void;
  readonly isHanging: boolean;
}

/** Makes the clock of a process that lives. */
export function createProcessClock(clock: Clock): ProcessClock {
  const timers = new Set<Timer>();
  /** What fell due while it hung, in order. */
  const late = new Map<Timer, () => void>();
  let isHanging = false;
  let isKilled = false;

  function setTimer(delayMs: number, run: () => void): Timer {
    if (isKilled) return { cancel: () => undefined };
    const timer = clock.setTimer(delayMs, () => {
      timers.delete(timer);
      if (isHanging) late.set(timer, run);
      else run();
    });
    timers.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        timers.delete(timer);
        late.delete(timer);
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
      late.clear();
    },
    get isKilled() {
      return isKilled;
    },
    hang: () => {
      isHanging = true;
    },
    goOn: () => {
      isHanging = false;
      for (const [timer, run] of late) {
        late.delete(timer);
        run();
      }
    },
    get isHanging() {
      return isHanging;
    },
  };
}
