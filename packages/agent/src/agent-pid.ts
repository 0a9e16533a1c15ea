// Who runs as the agent of a run directory. A run directory has one agent at a time, which begins
// without the notes that commands left about the one before.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import { EdgeError } from "@fairlead/runtime";

import { unmarkEnded } from "./ended-mark.ts";
import { livingProcess, writeOwnPid } from "./pid-file.ts";
import { unmarkWithdrawal } from "./withdrawal-mark.ts";

/** Where the agent of a run directory writes its number. */
export function agentPidFile(runDir: string): string {
  return join(runDir, "agent.pid");
}

/**
 * Claims a run directory for this process until the result is disposed: two agents would write
 * over each other's files, and the first that ends would end the other's daemons. Rejects with
 * "BUSY" while another agent lives.
 */
export async function claimRunDir(runDir: string): Promise<AsyncDisposable> {
  const path = agentPidFile(runDir);
  const living = await livingProcess(path);
  if (living !== undefined) {
    throw new EdgeError({
      code: "BUSY",
      message: `an agent with process id ${living} already uses the run directory ${runDir}`,
      retryable: false,
    });
  }
  await unmarkEnded(runDir);
  await unmarkWithdrawal(runDir);
  await writeOwnPid(path);
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}
