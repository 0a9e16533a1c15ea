// Ends processes of a daemon that hear no request. Each is looked at once more before: a number may
// belong to somebody else by now.

import { type ProcessLook, lookAt } from "./process-look.ts";

/** Ends the process group that this process leads, all at once. */
export function endGroup(leader: ProcessLook): void {
  signal(leader, -leader.pid);
}

/** Ends this one process. */
export function endProcess(one: ProcessLook): void {
  signal(one, one.pid);
}

function signal(one: ProcessLook, target: number): void {
  if (lookAt(one.pid)?.startTicks !== one.startTicks) return;
  try {
    process.kill(target, "SIGKILL");
  } catch {
    // It has ended in this moment, which is all that was wanted.
  }
}
