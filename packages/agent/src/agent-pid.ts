// Who runs as the agent of a run directory: its process id with its start time, so that a number
// that was given to another process is not taken for it.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import { EdgeError, isEdgeError, readFileBounded, writeFileDurably } from "@fairlead/runtime";

import { unmarkEnded } from "./ended-mark.ts";
import { lookAt } from "./liveness/process-look.ts";

const PID_BYTES_MAX = 100;

/** Where the agent of a run directory writes its number. */
export function agentPidFile(runDir: string): string {
  return join(runDir, "agent.pid");
}

/** The living agent of a run directory; undefined when there is none. */
export async function livingAgent(path: string): Promise<number | undefined> {
  try {
    const text = (await readFileBounded(path, PID_BYTES_MAX)).toString("utf8");
    const [pid = "", startTime = ""] = text.trim().split(" ");
    const isLiving = /^[1-9][0-9]*$/.test(pid) && lookAt(Number(pid))?.startTicks === startTime;
    return isLiving ? Number(pid) : undefined;
  } catch (error) {
    if (isEdgeError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/**
 * Claims a run directory for this process until the result is disposed: two agents would write
 * over each other's files, and the first that ends would end the other's daemons. Rejects with
 * "BUSY" while another agent lives.
 */
export async function claimRunDir(runDir: string): Promise<AsyncDisposable> {
  const path = agentPidFile(runDir);
  const living = await livingAgent(path);
  if (living !== undefined) {
    throw new EdgeError({
      code: "BUSY",
      message: `an agent with process id ${living} already uses the run directory ${runDir}`,
      retryable: false,
    });
  }
  await unmarkEnded(runDir);
  const startTime = lookAt(process.pid)?.startTicks ?? "";
  await writeFileDurably(path, `${process.pid} ${startTime}\n`, { mode: 0o644 });
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}
