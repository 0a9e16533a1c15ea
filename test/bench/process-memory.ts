// The memory of a process as its kernel counts it, from /proc. Given the process id as this
// program sees it. A megabyte is 1 000 kB of the kernel, as in the figures of others that stand
// beside ours.

import { readFile, writeFile } from "node:fs/promises";

/** Megabytes of one process. */
export interface ProcessMemory {
  /** All that is resident. */
  readonly residentMb: number;
  /** Of it its own and no file's. */
  readonly ownMb: number;
  /** Of it pages of files, most of them of the program Node. */
  readonly fileMb: number;
  /** The most that was resident since the start, or since `forgetPeak`. */
  readonly peakMb: number;
}

/** Reads it. */
export async function readMemory(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const megabytes = (field: string): number => {
    const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kilobytes === undefined) throw new Error(`process ${pid} shows no ${field}`);
    return Number(kilobytes) / 1000;
  };
  return {
    residentMb: megabytes("VmRSS"),
    ownMb: megabytes("RssAnon"),
    fileMb: megabytes("RssFile"),
    peakMb: megabytes("VmHWM"),
  };
}

/** Lets the peak begin anew at what is resident now. */
export async function forgetPeak(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, "5");
}

/** What is the process's own, by what it is for. */
export interface OwnMemory {
  /** V8's heap, compiled code, stacks. */
  readonly anonymousMb: number;
  /** What C and C++ allocated. */
  readonly mallocMb: number;
  /** Changed pages of Node and its libraries. */
  readonly programMb: number;
}

const MAPPING = /^[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)$/;

/** Adds up the mappings of a process. */
export async function readOwnMemory(pid: number): Promise<OwnMemory> {
  const sums = { anonymousMb: 0, mallocMb: 0, programMb: 0 };
  let kind: keyof typeof sums = "anonymousMb";
  for (const line of (await readFile(`/proc/${pid}/smaps`, "utf8")).split("\n")) {
    const name = MAPPING.exec(line)?.[1];
    if (name !== undefined) kind = kindOf(name);
    const kilobytes = /^Anonymous:\s+(\d+) kB$/.exec(line)?.[1];
    if (kilobytes !== undefined) sums[kind] += Number(kilobytes) / 1000;
  }
  return sums;
}

function kindOf(name: string): keyof OwnMemory {
  if (name === "[heap]") return "mallocMb";
  return name.startsWith("/") ? "programMb" : "anonymousMb";
}
