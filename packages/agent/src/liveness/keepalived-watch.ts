// Ends a keepalived that lives and does nothing: it would keep its addresses while a successor
// takes them. Given where its processes are written down. It never starts one: the supervisor does,
// which sweeps the addresses first.

import { readFileSync } from "node:fs";

import type { Logger } from "@fairlead/runtime";

import type { DataPlaneLayout } from "../data-plane-layout.ts";
import { endGroup, endProcess } from "./end-processes.ts";
import { type Looks, NO_LOOKS, isFrozen, looked } from "./frozen.ts";
import {
  type FollowedProcess,
  type ProcessLook,
  follow,
  leaderOf,
  lookAt,
  pausesOf,
} from "./process-look.ts";

/** What it is made of. */
export interface KeepalivedWatchOptions {
  readonly layout: Pick<DataPlaneLayout, "keepalived">;
  readonly log: Logger;
}

/** The memory of successive looks. Disposing it closes the files that it looks at. */
export interface KeepalivedWatch extends Disposable {
  /**
   * Looks once, and ends what is frozen.
   * @returns whether one of the two may be, so that it is worth a hurry to look again.
   */
  look(): boolean;
}

/** One process of the two, with what was seen of it. */
interface Watched {
  readonly followed: FollowedProcess;
  readonly process: ProcessLook;
  readonly looks: Looks;
}

/** Makes the watch; nothing is looked at before `look`. */
export function createKeepalivedWatch({ layout, log }: KeepalivedWatchOptions): KeepalivedWatch {
  const { incarnation, vrrpPid } = layout.keepalived;
  let leader: Watched | undefined;
  let child: Watched | undefined;
  return {
    look: () => {
      leader = again(leader, () => leaderOf(incarnation));
      if (leader === undefined) {
        // Its supervisor has seen that before us.
        child?.followed[Symbol.dispose]();
        child = undefined;
        return false;
      }
      const parent = leader.process.pid;
      child = again(child, () => childOf(vrrpPid, parent));
      if (child !== undefined && isFrozen(child.looks)) {
        log.warn({ pid: child.process.pid }, "keepalived is frozen and is ended");
        endGroup(leader.process);
      } else if (isFrozen(leader.looks)) {
        // Its child notices, gives the addresses up in the open, and ends.
        log.warn({ pid: parent }, "keepalived's first process is frozen and is ended");
        endProcess(leader.process);
      }
      return [leader, child].some((one) => one !== undefined && one.looks !== NO_LOOKS);
    },
    [Symbol.dispose]: () => {
      for (const watched of [leader, child]) watched?.followed[Symbol.dispose]();
      leader = undefined;
      child = undefined;
    },
  };
}

/** The same process looked at once more, or else the one that is written down now. */
function again(
  before: Watched | undefined,
  find: () => ProcessLook | undefined,
): Watched | undefined {
  const known = before?.followed.look();
  if (before !== undefined && known !== undefined) {
    return { ...before, process: known, looks: lookedAt(before.looks, known) };
  }
  before?.followed[Symbol.dispose]();
  const found = find();
  const followed = found && follow(found.pid);
  if (followed === undefined) return undefined;
  const process = followed.look();
  if (process === undefined || process.startTicks !== found?.startTicks) {
    // It has ended since, and another one may have its number.
    followed[Symbol.dispose]();
    return undefined;
  }
  return { followed, process, looks: lookedAt(NO_LOOKS, process) };
}

function lookedAt(before: Looks, { state, pid }: ProcessLook): Looks {
  return looked(before, state, () => pausesOf(pid));
}

function childOf(pidFile: string, parent: number): ProcessLook | undefined {
  const found = lookAt(pidIn(pidFile));
  return found?.parent === parent ? found : undefined;
}

/** 0, which is nobody's, where the file is not there or says nothing. */
function pidIn(path: string): number {
  try {
    const pid = Number(readFileSync(path, "utf8").trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : 0;
  } catch {
    return 0;
  }
}
