// Whether one instance of nginx serves, by its answers: takes the lanes that need it off this host,
// and lets them come back. Given how it is asked and where it is said. Ends one that is frozen,
// which its supervisor starts anew; what it has once said it knows from the file alone.

import type { Logger } from "@fairlead/runtime";

import type { NginxDaemon } from "../ports.ts";
import { endGroup } from "./end-processes.ts";
import { childrenOf, leaderOf, lookAt } from "./process-look.ts";
import { createSilence } from "./silence.ts";
import { createDownFile } from "./track-files.ts";
import { createWorkersLook } from "./workers-look.ts";

/** What it is made of. */
export interface DataPathWatchOptions {
  /** As it is called in messages. */
  readonly name: string;
  readonly nginx: Pick<NginxDaemon, "generation">;
  readonly log: Logger;
  /** The record of which process leads it. */
  readonly incarnation: string;
  /** The file that its lanes follow; its supervisor's scripts write it too. */
  readonly trackFile: string;
  /** Whether it is known to serve: one that never did is not down, whatever it was asked before. */
  readonly isServing: () => boolean;
  /** Whether what it takes in is led to nobody, however well it answers. Default: it is not. */
  readonly isCut?: () => boolean;
  /** Whether its silence means that it is down. Default: it does. */
  readonly mayBeDown?: () => boolean;
  /** Whether no address that it serves is on this host: it is asked seldom then. */
  readonly isAtRest: () => boolean;
  /** Something came to light between two ticks, so the next one is worth a hurry. Default: none. */
  readonly onDoubt?: () => void;
}

/** The memory of successive ticks. Disposing it closes the file that it looks at. */
export interface DataPathWatch extends Disposable {
  /**
   * Looks once. Rejects with the file system's error where the file cannot be written.
   * @param units what the loop waited before it, in units of 50 ms.
   * @returns whether it is worth a hurry to look again.
   */
  tick(units: number): Promise<boolean>;
}

/** The file of one that answers says it is down by its scripts' word alone: each second will do. */
const UNITS_BETWEEN_READS = 20;

/** Makes the watch; nothing is asked before the first tick. */
export function createDataPathWatch(options: DataPathWatchOptions): DataPathWatch {
  const { name, nginx, log, incarnation, isServing, mayBeDown = () => true, isAtRest } = options;
  const workers = createWorkersLook(incarnation);
  const silence = createSilence({
    ask: () => answersOf(nginx),
    isAtRest,
    isAsleep: () => workers.areAsleep(),
    onRefused: () => options.onDoubt?.(),
  });
  const file = createDownFile(options.trackFile);
  let wasDown = false;
  let wasServing = false;
  let unread = 0;
  return {
    tick: async (units) => {
      const serves = isServing();
      // It was asked before it was started too, and did not answer then.
      if (serves && !wasServing) silence.forget();
      wasServing = serves;
      const heard = silence.tick(units);
      // Between two deaths of its workers it has time for a question, and for no client.
      const answering = workers.look() || options.isCut?.() === true ? "silent" : heard;
      const isUnsettled = silence.isUnsettled || workers.isUnsettled;
      unread += units;
      if (answering === "answers" && !wasDown && unread < UNITS_BETWEEN_READS) {
        return isUnsettled;
      }
      unread = 0;
      const isDown = file.isDown();
      if (isDown && !wasDown) {
        log.warn({}, `${name} does not serve: lanes with a successor leave this host`);
        wasDown = true;
        // It answered before it was said to be down.
        silence.forget();
      } else if (isDown && answering === "answers") {
        // Workers of a dead master answer until they are ended.
        if (leaderOf(incarnation) !== undefined) {
          await file.setDown(false);
          wasDown = false;
          log.info({}, `${name} serves again: lanes may come back to this host`);
        }
      } else if (answering === "silent") {
        endFrozen(incarnation);
        // Whether it may be is asked every time: the answer may take two looks.
        if (serves && mayBeDown() && !isDown) await file.setDown(true);
      }
      return isUnsettled;
    },
    [Symbol.dispose]: () => workers[Symbol.dispose](),
  };
}

/** Without a free descriptor nothing can be asked, and that is the agent's own trouble. */
async function answersOf(nginx: DataPathWatchOptions["nginx"]): Promise<boolean | undefined> {
  try {
    if ((await nginx.generation()) !== undefined) return true;
  } catch {
    // Nor can it where its files cannot be read, or put right after a kill.
    return undefined;
  }
  return lookAt(process.pid) === undefined ? undefined : false;
}

/** A stopped process of nginx never comes back by itself; its supervisor starts it anew. */
function endFrozen(incarnation: string): void {
  const leader = leaderOf(incarnation);
  if (leader === undefined) return;
  const all = [leader, ...childrenOf(leader.pid).map(lookAt)];
  if (all.some((one) => one?.state === "T")) endGroup(leader);
}
