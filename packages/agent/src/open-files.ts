// How many files a process of this host may open: the bound of listeners and connections.

import { readFile } from "node:fs/promises";

/** The hard limit of this process, which its children inherit; `atMost` where it is larger. */
export async function openFilesMax(atMost: number): Promise<number> {
  const hard = hardLimitOf(await readFile("/proc/self/limits", "utf8"));
  return hard === undefined ? atMost : Math.min(atMost, hard);
}

/** The hard limit of open files, by the text of /proc/PID/limits; undefined: it names none. */
export function hardLimitOf(limits: string): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? undefined : Number(hard);
}
