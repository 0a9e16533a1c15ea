// Collects bursts of pokes into single runs of one function: after a quiet time, or at the latest
// after a maximum wait; never two runs at once, never closer together than a gap. Given the clock
// and the function. It never drops the last poke, and it never runs after it was stopped.

import assert from "node:assert";
import type { Clock, Timer } from "./clock.ts";

/** A paced function. Disposing it drops what waits and resolves when a run under way has ended. */
export interface Pace extends AsyncDisposable {
  /** Asks for a run. Returns the sequence number of this poke, for `done`. */
  poke(): number;
  /**
   * Resolves when a run has ended that began after poke number `sequence` (default: the newest).
   * Also resolves when that run failed. Rejects when the pace is stopped first.
   */
  done(sequence?: number): Promise<void>;
  /** Whether nothing waits and nothing runs. */
  isIdle(): boolean;
}

/** What is paced, and how. */
export interface PaceOptions {
  readonly clock: Clock;
  /** A run starts when no poke came for this long. */
  readonly quietMs: number;
  /** A run starts at the latest this long after the first poke that it covers; >= quietMs. */
  readonly maxWaitMs: number;
  /** At least this long between the starts of two runs. Default 0. */
  readonly gapMs?: number;
  /**
   * Run at once (but not within the gap) when a poke finds nothing waiting or running and no poke
   * within `quietMs` before it. Default false.
   */
  readonly leading?: boolean;
  /** The work. It is never called while an earlier call has not ended. */
  readonly run: () => void | Promise<void>;
  /** Told what `run` throws; the pace goes on. It must not throw. */
  readonly onError: (error: unknown) => void;
}

interface Waiter {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Makes a pace at rest. */
export function createPace(options: PaceOptions): Pace {
  const { clock, quietMs, maxWaitMs, gapMs = 0, leading = false } = options;
  assert(quietMs >= 0 && maxWaitMs >= quietMs && gapMs >= 0, "pace: 0 <= quietMs <= maxWaitMs");
  let asked = 0;
  let finished = 0;
  let firstPokeMs: number | undefined;
  let lastPokeMs = Number.NEGATIVE_INFINITY;
  let lastStartMs = Number.NEGATIVE_INFINITY;
  let isAtOnce = false;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isStopped = false;
  let waiters: readonly Waiter[] = [];

  function schedule(): void {
    if (firstPokeMs === undefined || running !== undefined || isStopped) return;
    timer?.cancel();
    const heldOffMs = Math.min(lastPokeMs + quietMs, firstPokeMs + maxWaitMs);
    const dueMs = Math.max(isAtOnce ? firstPokeMs : heldOffMs, lastStartMs + gapMs);
    timer = clock.setTimer(dueMs - clock.nowMs(), start);
  }

  function start(): void {
    timer = undefined;
    firstPokeMs = undefined;
    lastStartMs = clock.nowMs();
    running = runOnce(asked);
  }

  async function runOnce(covered: number): Promise<void> {
    try {
      await options.run();
    } catch (error) {
      options.onError(error);
    }
    finished = covered;
    running = undefined;
    const ready = waiters.filter((waiter) => waiter.sequence <= finished);
    waiters = waiters.filter((waiter) => waiter.sequence > finished);
    for (const waiter of ready) waiter.resolve();
    schedule();
  }

  function poke(): number {
    asked += 1;
    if (isStopped) return asked;
    const nowMs = clock.nowMs();
    if (firstPokeMs === undefined) {
      firstPokeMs = nowMs;
      isAtOnce = leading && running === undefined && nowMs - lastPokeMs >= quietMs;
    }
    lastPokeMs = nowMs;
    schedule();
    return asked;
  }

  function done(sequence: number = asked): Promise<void> {
    assert(sequence <= asked, "pace: no such poke yet");
    if (sequence <= finished) return Promise.resolve();
    if (isStopped) return Promise.reject(new Error("the pace was stopped"));
    return new Promise((resolve, reject) => {
      waiters = [...waiters, { sequence, resolve, reject }];
    });
  }

  async function stop(): Promise<void> {
    isStopped = true;
    timer?.cancel();
    timer = undefined;
    firstPokeMs = undefined;
    await running;
    for (const waiter of waiters) waiter.reject(new Error("the pace was stopped"));
    waiters = [];
  }

  const isIdle = (): boolean => firstPokeMs === undefined && running === undefined;
  return { poke, done, isIdle, [Symbol.asyncDispose]: stop };
}
