// Time of processors, from /proc: of a host's programs by name, of one process, and of the whole
// machine. Given where to look. Ticks of the kernel are a hundredth of a second.

import { readFile } from "node:fs/promises";

import type { Host } from "@fairlead/lab";

const TICKS_PER_SECOND = 100;
const NS_PER_MS = 1e6;
/** In /proc/stat: all but what is idle, waits for a disk or belongs to guests. */
const BUSY_FIELDS: readonly number[] = [0, 1, 2, 5, 6];

/** Seconds that all processes of this name on a host have run since their starts. */
export async function cpuOfPrograms(host: Host, name: string): Promise<number> {
  const times = host.pids().map(async (pid) => {
    // One that has ended meanwhile counts no more.
    const text = await host.readFile(`/proc/${pid}/stat`).catch(() => "");
    return text.includes(`(${name})`) ? secondsOf(text) : 0;
  });
  return (await Promise.all(times)).reduce((sum, seconds) => sum + seconds, 0);
}

/** Seconds that one process has run, by its id as this program sees it. */
export async function cpuOfProcess(pid: number): Promise<number> {
  return secondsOf(await readFile(`/proc/${pid}/stat`, "utf8"));
}

/** What the first thread of a process had of the machine since its start, in ms. */
export interface CoreTime {
  readonly ranMs: number;
  /** It could have run, and every core had something else to do. */
  readonly waitedMs: number;
}

/** Reads it for one process, whose first thread is the event loop of a program of Node. */
export async function coreTimeOf(pid: number): Promise<CoreTime> {
  const text = await readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8");
  const [ran, waited] = text.split(" ").map(Number);
  if (ran === undefined || waited === undefined) throw new Error(`process ${pid} shows no times`);
  return { ranMs: ran / NS_PER_MS, waitedMs: waited / NS_PER_MS };
}

/** Seconds that all processors of the machine were busy since its boot. */
export async function cpuOfMachine(): Promise<number> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const fields = line.split(/\s+/).slice(1).map(Number);
  return BUSY_FIELDS.reduce((sum, at) => sum + (fields[at] ?? 0), 0) / TICKS_PER_SECOND;
}

/** User and system time of a line of proc(5) stat, whose second field may hold anything. */
function secondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
