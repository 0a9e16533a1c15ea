// Collects bursts of pokes into single runs of one function: after a quiet time, or at the latest
// after a maximum wait; never two runs at once, never closer together than a gap. Given the clock
// and the function. It never drops the last poke, and it never runs after it was stopped.

import assert from "node:assert";
import type { Clock, Timer } from "./clock.ts";
import { createPokeCount } from "./poke-count.ts";

/** A paced function. Disposing it drops what waits and resolves when a run under way has ended. */
export interface Pace extends AsyncDisposable {
  /** Asks for a run. Returns the sequence number of this poke, for `done`. */
  poke(): number;
  /**
   * Pokes so many ms from now, in place of a time that was named before; undefined or endless: at
   * no such time. Does nothing on a pace that was stopped.
   */
  pokeIn(delayMs: number | undefined): void;
  /** Whether a time named to `pokeIn` is still to come. */
  isPokeDue(): boolean;
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

/** Makes a pace at rest. */
export function createPace(options: PaceOptions): Pace {
  const { clock, quietMs, maxWaitMs, gapMs = 0, leading = false } = options;
  assert(quietMs >= 0 && maxWaitMs >= quietMs && gapMs >= 0, "pace: 0 <= quietMs <= maxWaitMs");
  const pokes = createPokeCount();
  let firstPokeMs: number | undefined;
  let lastPokeMs = Number.NEGATIVE_INFINITY;
  let lastStartMs = Number.NEGATIVE_INFINITY;
  let isAtOnce = false;
  let timer: Timer | undefined;
  let running: Promise<void> | undefined;
  let isStopped = false;

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
    running = runOnce(pokes.asked());
  }

  async function runOnce(covered: number): Promise<void> {
    // Through a promise, so that a run that throws at once still ends after `running` is set.
    const begin = async (): Promise<void> => options.run();
    try {
      await begin();
    } catch (error) {
      options.onError(error);
    }
    running = undefined;
    pokes.finish(covered);
    schedule();
  }

  function poke(): number {
    const sequence = pokes.add();
    if (isStopped) return sequence;
    const nowMs = clock.nowMs();
    if (firstPokeMs === undefined) {
      firstPokeMs = nowMs;
      isAtOnce = leading && running === undefined && nowMs - lastPokeMs >= quietMs;
    }
    lastPokeMs = nowMs;
    schedule();
    return sequence;
  }

  async function stop(): Promise<void> {
    isStopped = true;
    timer?.cancel();
    timer = undefined;
    late.pokeIn(undefined);
    firstPokeMs = undefined;
    await running;
    pokes.stop();
  }

  const isIdle = (): boolean => firstPokeMs === undefined && running === undefined;
  const late = createLatePoke({ clock, poke, isOver: () => isStopped });
  const done = (sequence?: number): Promise<void> => pokes.done(sequence);
  return { poke, ...late, done, isIdle, [Symbol.asyncDispose]: stop };
}

type LatePoke = Pick<Pace, "pokeIn" | "isPokeDue">;

interface LatePokeOptions {
  readonly clock: Clock;
  readonly poke: () => void;
  readonly isOver: () => boolean;
}

/** A time to poke at, or none. */
function createLatePoke({ clock, poke, isOver }: LatePokeOptions): LatePoke {
  let timer: Timer | undefined;
  return {
    pokeIn: (delayMs = Number.POSITIVE_INFINITY) => {
      assert(!Number.isNaN(delayMs), "pace: a time to poke at");
      timer?.cancel();
      timer = undefined;
      if (isOver() || delayMs === Number.POSITIVE_INFINITY) return;
      timer = clock.setTimer(Math.max(0, delayMs), () => {
        timer = undefined;
        poke();
      });
    },
    isPokeDue: () => timer !== undefined,
  };
}
