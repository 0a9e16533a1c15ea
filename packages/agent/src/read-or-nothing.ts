// Reads files of /proc, /sys and /run that may be absent or not ours to read. For what is looked at
// and shown, never for what has to be there.

import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";

/** The text of a file; empty when it cannot be read. */
export async function readOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}

/**
 * The same without waiting, for what is looked at again and again: of /proc, which answers from
 * memory, a file costs a sixth of what turns of the thread pool do (measured).
 */
export function readNow(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
