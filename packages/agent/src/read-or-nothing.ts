// Reads files of /proc, /sys and /run that may be absent or not ours to read. For what is looked at
// and shown, never for what has to be there.

import { readFile } from "node:fs/promises";

/** The text of a file; empty when it cannot be read. */
export async function readOrNothing(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return "";
  }
}
