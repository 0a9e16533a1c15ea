// Generations of nginx that were replaced: each lives on with its connections and costs memory. It
// waits until their workers take no new connections, and ends the oldest where too many live: not
// those that were replaced a moment ago, nor those that count connections where the serving one
// does, as an ended worker takes nothing off the count. Given the process id of the master; in
// another PID namespace it sees none.

import type { Clock, Logger } from "@fairlead/runtime";

import type { LivingGeneration } from "../ports.ts";
import type { DaemonLog } from "../supervised.ts";
import { type Worker, beyondBound, groupGenerations, livingGenerations } from "./generations.ts";
import { createLostWorkers } from "./lost-workers.ts";
import { createWorkerLook, endWorkers, nowTicks, readWorkers, servingWorkers } from "./workers.ts";

/** What they are judged by. */
export interface OldGenerationsOptions {
  /** Generations that may live, the serving one included: more, and the oldest is ended. */
  readonly generationsMax: number;
  /** How long after its end began the oldest lives all the same, in ms. Default 30 000. */
  readonly generationKeptMs?: number | undefined;
  /** What nginx says. */
  readonly log: DaemonLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The generations of one instance of nginx. */
export interface OldGenerations {
  /** Whether a worker died with connections that stay counted. */
  readonly miscount: boolean;
  /** Whether the next file has to count anew: for that, or as the oldest will then be ended. */
  mustCountAnew(master: number): boolean;
  /**
   * Takes the workers that serve before a reload.
   * @returns called after it, resolves when none of them takes new connections: after about 100 ms,
   *   at the latest after a second. By then those that are too many are ended.
   */
  replace(master: number): (zoneSince: number | undefined) => Promise<void>;
  /** Those that live; of them it ends those that are too many, and does not name them. */
  alive(master: number, zoneSince: number | undefined): Promise<readonly LivingGeneration[]>;
}

/** nginx tells old workers to end 100 ms after it started new ones. */
const ENDING_MS_MAX = 1000;
const POLL_MS = 5;
/** As long as connections to a member that leaves, by default. */
const KEPT_MS = 30_000;

/** Makes it; nothing is looked at yet. */
export function createOldGenerations(options: OldGenerationsOptions): OldGenerations {
  const { clock, generationsMax, logger } = options;
  const bound = { max: generationsMax, keptMs: options.generationKeptMs ?? KEPT_MS };
  const look = createWorkerLook(clock);
  /** What is counted is in the memory of one master. */
  let counting = 0;
  let lost = createLostWorkers(options.log, clock);
  /** When a worker was found to have died; undefined: nothing of one is counted. */
  let lostTicks: number | undefined;

  const endBeyondBound = (
    workers: readonly Worker[],
    zoneSince = Number.POSITIVE_INFINITY,
  ): readonly Worker[] => {
    const tooMany = beyondBound(workers, bound, nowTicks());
    const ended = tooMany.filter(({ startTicks }) => startTicks < zoneSince);
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

  /** What dies while nginx reads a file is counted in that one's zone, if that is no new one. */
  const forgetBefore = (zoneSince = Number.POSITIVE_INFINITY): void => {
    if (lostTicks !== undefined && lostTicks < zoneSince) lostTicks = undefined;
  };

  return {
    get miscount() {
      return lostTicks !== undefined;
    },
    mustCountAnew: (master) =>
      lostTicks !== undefined || groupGenerations(readWorkers(master)).length >= generationsMax,
    replace: (master) => {
      const old = servingWorkers(master);
      return async (zoneSince) => {
        forgetBefore(zoneSince);
        await waitUntilEnding(master, old);
        endBeyondBound(look(master), zoneSince);
      };
    },
    alive: async (master, zoneSince) => {
      if (master !== counting) {
        counting = master;
        lost = createLostWorkers(options.log, clock);
        forgetBefore();
      }
      const workers = look(master);
      // A worker may learn of its end long after the reload: only a later look finds it too many.
      const ended = new Set(endBeyondBound(workers, zoneSince));
      const hasLost = await lost.look(workers.map(({ pid }) => pid));
      if (hasLost && zoneSince !== undefined) {
        const what = "a worker of nginx died: its connections are to be counted anew";
        if (lostTicks === undefined) logger.warn({ master }, what);
        lostTicks = nowTicks();
      }
      const living = workers.filter((worker) => !ended.has(worker));
      const generations = livingGenerations(living, nowTicks());
      if (lostTicks === undefined) return generations;
      return generations.map((one) => (one.isServing ? { ...one, miscounts: true } : one));
    },
  };
}
