// A file that names a process: its id with its start time, so that a number that was given to
// another process is not taken for it.

import { isEdgeError, readFileBounded, writeFileDurably } from "@fairlead/runtime";

import { lookAt } from "./liveness/process-look.ts";

const PID_BYTES_MAX = 100;

/** Writes this process into the file. */
export async function writeOwnPid(path: string): Promise<void> {
  const startTime = lookAt(process.pid)?.startTicks ?? "";
  await writeFileDurably(path, `${process.pid} ${startTime}\n`, { mode: 0o644 });
}

/** The living process that the file names; undefined when there is none. */
export async function livingProcess(path: string): Promise<number | undefined> {
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
