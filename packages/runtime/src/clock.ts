// The port through which every program reads time and waits, and the one real clock behind it.
// Given nothing; it wraps the timers of Node. Code that takes a Clock can be driven by the fake
// clock in tests, so nothing outside this file may call Date.now, performance.now or setTimeout
// for the product's own waits.

import assert from "node:assert";

/** A timer that has been set. */
export interface Timer {
  /** Stops the timer. Does nothing when it has run or was cancelled before. */
  cancel(): void;
}

/** Time as the programs see it. All durations are milliseconds. */
export interface Clock {
  /** Monotonic milliseconds from an unspecified start: for intervals and deadlines only. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch: for what people read and what is stored. It may jump. */
  wallMs(): number;
  /** Calls `run` once after `delayMs`; a negative delay counts as 0. */
  setTimer(delayMs: number, run: () => void): Timer;
  /** Resolves after `delayMs`; rejects with the reason of `signal` when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

/** Node fires a timer at once when its delay is above this, so longer ones are set in pieces. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Who is told when a timer runs how much later than it was to, in ms; it may be a little early. */
type OnRun = (lateMs: number) => void;

/** Makes the clock of the machine. Its timers keep the process alive until they run. */
export function createSystemClock(onRun?: OnRun): Clock {
  const setTimer = (delayMs: number, run: () => void): Timer => {
    if (onRun === undefined) return setSystemTimer(delayMs, run);
    const dueMs = performance.now() + Math.max(0, delayMs);
    return setSystemTimer(delayMs, () => {
      onRun(performance.now() - dueMs);
      run();
    });
  };
  return {
    nowMs: () => performance.now(),
    wallMs: () => Date.now(),
    setTimer,
    sleep: (delayMs, signal) => sleepWith(setTimer, delayMs, signal),
  };
}

/** The sleep of any clock, built on its timers. For implementations of `Clock`. */
export function sleepWith(
  setTimer: Clock["setTimer"],
  delayMs: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal));
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal === undefined ? new Error("aborted") : abortReason(signal));
    };
    const timer = setTimer(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The reason of an aborted signal as an Error, whatever the one who aborted gave. */
export function abortReason(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new Error("aborted", { cause: reason });
}

function setSystemTimer(delayMs: number, run: () => void): Timer {
  assert(!Number.isNaN(delayMs), "a timer needs a delay that is a number");
  let leftMs = Math.max(0, delayMs);
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const stepMs = Math.min(leftMs, TIMER_MS_MAX);
    leftMs -= stepMs;
    handle = setTimeout(leftMs > 0 ? arm : run, stepMs);
  };
  arm();
  return { cancel: () => clearTimeout(handle) };
}
