// Whether a worker of nginx died by a signal: memory ran out, or it had a fault of its own. Its
// master starts another, but what it had counted against limits stays counted. Given who lives, and
// the log in which the master says how a worker ended; that is read only when one is gone.

import type { Clock } from "@fairlead/runtime";

import type { DaemonLog, LogMark } from "../supervised.ts";

/** Sees workers that die. */
export interface LostWorkers {
  /** Whether one that lived at an earlier look has died by a signal. */
  look(living: readonly number[]): Promise<boolean>;
}

const DIED = /worker process [0-9]+ exited on signal /;
/** A worker is gone a moment before its master's word about it is in the log, in ms. */
const TOLD_MS_MAX = 3000;

/** Makes it; what died before its first look it does not know. */
export function createLostWorkers(log: DaemonLog, clock: Pick<Clock, "nowMs">): LostWorkers {
  let mark: LogMark | undefined;
  let known: readonly number[] = [];
  let readsUntilMs = Number.NEGATIVE_INFINITY;
  return {
    look: async (living) => {
      const nowMs = clock.nowMs();
      if (known.some((pid) => !living.includes(pid))) readsUntilMs = nowMs + TOLD_MS_MAX;
      known = living;
      mark ??= await log.mark();
      if (nowMs > readsUntilMs) return false;
      const hasDied = (await log.since(mark)).some((line) => DIED.test(line));
      if (hasDied) mark = await log.mark();
      return hasDied;
    },
  };
}
