// Ends a keepalived that lives and does nothing: it would keep its addresses while a successor
// takes them. Given where its processes are written down. It never starts one: the supervisor does,
// which sweeps the addresses first.

import { readFileSync } from "node:fs";

import type { Logger } from "@fairlead/runtime";

import type { DataPlaneLayout } from "../data-plane-layout.ts";
import { endGroup, endProcess } from "./end-processes.ts";
import { type Looks, NO_LOOKS, isFrozen, looked } from "./frozen.ts";
import { type ProcessLook, leaderOf, lookAt, pausesOf } from "./process-look.ts";

/** What it is made of. */
export interface KeepalivedWatchOptions {
  readonly layout: Pick<DataPlaneLayout, "keepalived">;
  readonly log: Logger;
}

/** The memory of successive looks. */
export interface KeepalivedWatch {
  /** Looks once, and ends what is frozen. */
  look(): void;
}

/** One process of the two, with what was seen of it. */
interface Watched {
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
        child = undefined;
        return;
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
    },
  };
}

/** The same process looked at once more, or else the one that is written down now. */
function again(
  before: Watched | undefined,
  find: () => ProcessLook | undefined,
): Watched | undefined {
  const known = before === undefined ? undefined : lookAt(before.process.pid);
  const isSame = known !== undefined && known.startTicks === before?.process.startTicks;
  const process = isSame ? known : find();
  if (process === undefined) return undefined;
  const looks = isSame && before !== undefined ? before.looks : NO_LOOKS;
  return { process, looks: looked(looks, process.state, () => pausesOf(process.pid)) };
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
