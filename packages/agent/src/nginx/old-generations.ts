// Generations of nginx that were replaced: each lives on with the connections that it has, and costs
// its memory. It waits until their workers take no new connections, and ends the oldest where too
// many live. Given the process id of the master; in another PID namespace it sees and ends none.

import type { Clock, Logger } from "@fairlead/runtime";

import type { LivingGeneration } from "../ports.ts";
import { type Worker, beyondBound, livingGenerations } from "./generations.ts";
import { createWorkerLook, endWorkers, nowTicks, servingWorkers } from "./workers.ts";

/** What they are judged by. */
export interface OldGenerationsOptions {
  /** Generations that may live, the serving one included: more, and the oldest is ended. */
  readonly generationsMax: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The generations of one instance of nginx. */
export interface OldGenerations {
  /**
   * Takes the workers that serve before a reload.
   * @returns called after it, resolves when none of them takes new connections: about 100 ms after
   *   the reload, at the latest after a second. By then those that are too many are ended.
   */
  replace(master: number): () => Promise<void>;
  /** Those that live: of them it ends what is too many, and does not name it. */
  alive(master: number): readonly LivingGeneration[];
}

/** nginx tells old workers to end 100 ms after it started new ones. */
const ENDING_MS_MAX = 1000;
const POLL_MS = 5;

/** Makes it; nothing is looked at yet. */
export function createOldGenerations(options: OldGenerationsOptions): OldGenerations {
  const { clock, generationsMax, logger } = options;
  const look = createWorkerLook(clock);

  const endBeyondBound = (workers: readonly Worker[]): readonly Worker[] => {
    const ended = beyondBound(workers, generationsMax);
    if (ended.length === 0) return ended;
    endWorkers(ended);
    const pids = ended.map((worker) => worker.pid);
    logger.warn({ pids, generationsMax }, "ended the oldest generation of nginx: too many live");
    return ended;
  };

  /** Old workers take connections beside the new ones, to members and listeners that are gone. */
  const waitUntilEnding = async (master: number, old: readonly number[]): Promise<void> => {
    const endMs = clock.nowMs() + ENDING_MS_MAX;
    while (clock.nowMs() < endMs) {
      const serving = new Set(servingWorkers(master));
      if (!old.some((pid) => serving.has(pid))) return;
      await clock.sleep(POLL_MS);
    }
  };

  return {
    replace: (master) => {
      const old = servingWorkers(master);
      return async () => {
        await waitUntilEnding(master, old);
        endBeyondBound(look(master));
      };
    },
    alive: (master) => {
      const workers = look(master);
      // A worker may learn of its end long after the reload: only a later look finds it too many.
      const ended = new Set(endBeyondBound(workers));
      return livingGenerations(
        workers.filter((worker) => !ended.has(worker)),
        nowTicks(),
      );
    },
  };
}
