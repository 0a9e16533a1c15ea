// How root makes a lab that has no more rights than a normal user's. Given the folders that the
// programs under test live in. It creates no user on the machine.

import { statSync } from "node:fs";
import { dirname } from "node:path";
import type { LabOptions } from "./lab.ts";

/** Debian's "nobody": a user without a name for anything. */
const NOBODY = { uid: 65_534, gid: 65_534 };

/**
 * Options of a lab that runs as a normal user. For a normal user: the defaults. For root: nobody,
 * where nobody can read all the folders; else root in a user namespace, which has a normal user's
 * rights over the machine but root's over root's own files.
 */
export function asNormalUser(...folders: readonly string[]): LabOptions {
  if (process.getuid?.() !== 0) return {};
  return folders.every(isReadableByAll) ? { identity: NOBODY } : { userNamespace: true };
}

function isReadableByAll(folder: string): boolean {
  const readAndEnter = 0o005;
  for (let path = folder; ; path = dirname(path)) {
    const enough = path === folder ? readAndEnter : 0o001;
    if ((statSync(path).mode & enough) !== enough) return false;
    if (path === dirname(path)) return true;
  }
}
