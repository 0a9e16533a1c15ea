// Whether this process may use a file. It changes nothing.

import { access } from "node:fs/promises";

/** Whether it may, by `mode` of node's `constants`; a file that is not there may not be used. */
export async function mayAccess(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}
