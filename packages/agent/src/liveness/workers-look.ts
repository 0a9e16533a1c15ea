// The workers of one nginx, by looks at its master: whether one of them lives on from one look to
// the next, and whether all of them sleep. Given the record of which process leads it. Where the
// kernel or another PID namespace shows no workers it finds nothing wrong with them.

import { readNow } from "../read-or-nothing.ts";
import {
  type FollowedChildren,
  type ProcessLook,
  followChildren,
  leaderOf,
  lookAt,
} from "./process-look.ts";

/** The memory of successive looks. Disposing it closes the file that it looks at. */
export interface WorkersLook extends Disposable {
  /** Looks once. @returns whether workers die again and again, so that clients get no answer. */
  look(): boolean;
  /** Whether the next look has to confirm what this one shows. */
  readonly isUnsettled: boolean;
  /** Whether each of them waits for something to happen, by a look at it now. */
  areAsleep(): boolean;
}

/** A reload replaces all of them too, and once. */
const REPLACED_LOOKS = 2;

/** Makes it; nothing is looked at yet. */
export function createWorkersLook(incarnation: string): WorkersLook {
  let master: ProcessLook | undefined;
  let children: FollowedChildren | undefined;
  let before: readonly number[] = [];
  /** Looks in a row in which none lived that takes connections and lived at the look before. */
  let replaced = 0;
  const forget = (now: ProcessLook | undefined): void => {
    children?.[Symbol.dispose]();
    children = now && followChildren(now.pid);
    // Without a file to follow it is looked for again.
    master = children && now;
    before = children?.look() ?? [];
    replaced = 0;
  };
  return {
    look: () => {
      const now = children?.look() ?? [];
      if (now.length > 0 && isSame(now, before)) {
        replaced = 0;
        return false;
      }
      const leader = leaderOf(incarnation);
      if (leader === undefined || leader.startTicks !== master?.startTicks) {
        forget(leader);
        return false;
      }
      // Its supervisor knows of a master that is gone; one without a worker is silent.
      if (now.length > 0) {
        // Those of an earlier generation live on with their connections, whatever becomes of these.
        const livesOn = now.some((pid) => before.includes(pid) && isServing(pid));
        replaced = livesOn ? 0 : replaced + 1;
        before = now;
      }
      return replaced >= REPLACED_LOOKS;
    },
    get isUnsettled() {
      return replaced > 0 && replaced < REPLACED_LOOKS;
    },
    areAsleep: () => {
      const workers = (children?.look() ?? []).map(lookAt);
      return workers.length > 0 && workers.every((worker) => worker?.state === "S");
    },
    [Symbol.dispose]: () => forget(undefined),
  };
}

function isServing(pid: number): boolean {
  return !readNow(`/proc/${pid}/cmdline`).includes("shutting down");
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return (
    one === other || (one.length === other.length && one.every((pid, at) => pid === other[at]))
  );
}
