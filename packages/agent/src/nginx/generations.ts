// Counts the generations of nginx that have living workers: the serving one, and each older one
// that still has connections. Given what /proc shows of the master's children. The counting is
// pure; only `readWorkers` touches the outside.

import { readFile } from "node:fs/promises";

/** One worker process. */
export interface Worker {
  readonly pid: number;
  /** Clock ticks since boot, 100 a second. */
  readonly startTicks: number;
  /** Whether it serves no new connections any more. */
  readonly ending: boolean;
}

/**
 * Workers of one generation are started within milliseconds, generations are at least a second
 * apart: 300 ms tell them apart.
 */
const GAP_TICKS = 30;

/** How many generations these workers are. */
export function countGenerations(workers: readonly Worker[]): number {
  const serving = workers.some((worker) => !worker.ending) ? 1 : 0;
  const starts = workers
    .filter((worker) => worker.ending)
    .map((worker) => worker.startTicks)
    .sort((a, b) => a - b);
  const older = starts.filter((start, index) => {
    const before = starts[index - 1];
    return before === undefined || start - before > GAP_TICKS;
  });
  return serving + older.length;
}

/** The living workers of a master; none when it is gone. */
export async function readWorkers(masterPid: number): Promise<readonly Worker[]> {
  const children = await readOrNothing(`/proc/${masterPid}/task/${masterPid}/children`);
  const pids = children.split(" ").filter((word) => /^[0-9]+$/.test(word));
  const found = await Promise.all(pids.map(readWorker));
  return found.filter((worker) => worker !== undefined);
}

async function readWorker(pid: string): Promise<Worker | undefined> {
  const [title, stat] = await Promise.all([
    readOrNothing(`/proc/${pid}/cmdline`),
    readOrNothing(`/proc/${pid}/stat`),
  ]);
  if (!title.startsWith("nginx: worker process")) return undefined;
  // The name in brackets may hold anything; what follows it starts with field 3, and the start
  // time is field 22 (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return {
    pid: Number(pid),
    startTicks: Number(fields[19]),
    ending: title.includes("shutting down"),
  };
}

async function readOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // The process ended between two looks.
    return "";
  }
}
