// Paces writes: few at once, so many a second, and one now and then while the server is out of
// reach. Given who has work; it knows nothing of what is written. Disposing waits for what is under
// way.

import type { Clock, Timer } from "@fairlead/runtime";

import { createTokenBucket } from "./token-bucket.ts";
import { createWriteGate } from "./write-gate.ts";

/** One write, begun by calling it. It must not reject. */
export type Job = () => Promise<void>;

/** What is paced, and how. */
export interface WritePaceOptions {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly atOnceMax: number;
  readonly perSecond: number;
  readonly burst: number;
  /** The next write; undefined when there is none. Asked only when one may go. */
  readonly take: () => Job | undefined;
}

/** A pace. */
export interface WritePace extends AsyncDisposable {
  /** There may be work. */
  poke(): void;
  /** The server answered a write, whatever it said. */
  answered(): void;
  /** It did not, or asks to be left alone for so many ms. */
  failed(askedMs: number): void;
}

/** Makes a pace at rest. */
export function createWritePace(options: WritePaceOptions): WritePace {
  const { clock, random, atOnceMax, take } = options;
  const bucket = createTokenBucket(options);
  const gate = createWriteGate(random);
  const underWay = new Set<Promise<void>>();
  let timer: Timer | undefined;
  let isStopped = false;

  function pump(): void {
    timer?.cancel();
    while (!isStopped && underWay.size < atOnceMax) {
      const nowMs = clock.nowMs();
      const dueMs = Math.max(bucket.dueMs(nowMs), gate.dueMs() ?? nowMs);
      if (dueMs > nowMs) {
        timer = clock.setTimer(dueMs - nowMs, pump);
        return;
      }
      // One is tried: its end is waited for.
      if (!gate.mayEnter(nowMs)) return;
      const job = take();
      if (job === undefined) return;
      bucket.take(nowMs);
      gate.enter();
      run(job);
    }
  }

  function run(job: Job): void {
    const ended: Promise<void> = job().finally(() => {
      underWay.delete(ended);
      pump();
    });
    underWay.add(ended);
  }

  return {
    poke: pump,
    answered: () => gate.passed(),
    failed: (askedMs) => gate.failed(clock.nowMs(), askedMs),
    [Symbol.asyncDispose]: async () => {
      isStopped = true;
      timer?.cancel();
      await Promise.all(underWay);
    },
  };
}
