// Whether the file that was opened still stands at its path. What is written to one that has no
// name any more would be lost with the process.

import { statSync } from "node:fs";

import { makeStoreError } from "../store-error.ts";

/**
 * Remembers the file that stands at the path now.
 * @param name of the store, for people.
 * @returns a check that throws EdgeError<"IO"> when it was removed or replaced since.
 */
export function rememberFile(path: string, name: string): () => void {
  const inode = inodeOf(path);
  return () => {
    if (inodeOf(path) === inode) return;
    const message = `${name} was removed or replaced while it is in use`;
    throw makeStoreError({ code: "IO", message });
  };
}

/** Undefined when there is no such file. Never opens it: closing would drop SQLite's lock. */
function inodeOf(path: string): bigint | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino;
}
