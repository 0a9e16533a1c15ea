// Who runs as the agent of a run directory: its process id with its start time, so that a number
// that was given to another process is not taken for it.

import { readFile, rm } from "node:fs/promises";

import { EdgeError, isEdgeError, readFileBounded, writeFileDurably } from "@fairlead/runtime";

/** Field 22 of /proc/PID/stat is the start time; the second field may hold blanks (proc(5)). */
const FIELDS_BEFORE_START_TIME = 19;
const PID_BYTES_MAX = 100;

/** The living agent of a run directory; undefined when there is none. */
export async function livingAgent(path: string): Promise<number | undefined> {
  try {
    const text = (await readFileBounded(path, PID_BYTES_MAX)).toString("utf8");
    const [pid = "", startTime = ""] = text.trim().split(" ");
    const isLiving = /^[1-9][0-9]*$/.test(pid) && (await startTimeOf(Number(pid))) === startTime;
    return isLiving ? Number(pid) : undefined;
  } catch (error) {
    if (isEdgeError(error, "NOT_FOUND")) return undefined;
    throw error;
  }
}

/** Claims the run directory for this process; the file goes when the result is disposed. */
export async function claimRunDir(path: string): Promise<AsyncDisposable> {
  const living = await livingAgent(path);
  if (living !== undefined) {
    throw new EdgeError({
      code: "BUSY",
      message: `an agent with process id ${living} already uses this run directory`,
      retryable: false,
    });
  }
  const startTime = await startTimeOf(process.pid);
  await writeFileDurably(path, `${process.pid} ${startTime ?? ""}\n`, { mode: 0o644 });
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
}

async function startTimeOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[FIELDS_BEFORE_START_TIME];
  } catch {
    return undefined;
  }
}
