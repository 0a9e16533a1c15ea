// Notes that an operator's command withdraws the agent of a run directory right now, for the agent
// that is about to be told to end: its controller shall hear of it. The note names the command, and
// counts while that lives alone: who finds one of a command that died goes on with its data plane.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import { livingProcess, writeOwnPid } from "./pid-file.ts";

/** This process withdraws the agent, until the result is disposed. */
export async function markWithdrawal(runDir: string): Promise<AsyncDisposable> {
  await writeOwnPid(markOf(runDir));
  return { [Symbol.asyncDispose]: () => unmarkWithdrawal(runDir) };
}

/** An agent is about to start there. */
export async function unmarkWithdrawal(runDir: string): Promise<void> {
  await rm(markOf(runDir), { force: true });
}

/** Whether a command that withdraws the agent runs. */
export async function isBeingWithdrawn(runDir: string): Promise<boolean> {
  return (await livingProcess(markOf(runDir))) !== undefined;
}

function markOf(runDir: string): string {
  return join(runDir, "withdrawing");
}
