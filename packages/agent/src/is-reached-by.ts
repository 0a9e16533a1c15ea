// Whether a user may reach what lies in a folder: the folder and all above it must let him through.
// Given the user's name, and the folder as a path. It looks at nothing but what everybody may.

import { statSync } from "node:fs";
import { dirname } from "node:path";

/** Others than its owner and its group may pass. */
const PASS = 0o001;

/** Whether he may; a folder that is not there lets nobody through but root. */
export function isReachedBy(user: string | undefined, folder: string): boolean {
  if (user === "root") return true;
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || (stat.mode & PASS) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || isReachedBy(user, parent);
}
