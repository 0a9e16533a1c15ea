// Makes a folder with all that is missing above it, one after the other. `mkdir` with `recursive`
// goes round for ever below a file system that makes no folders, such as that of /proc. Given an
// absolute path.

import { mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { EdgeError } from "./errors.ts";

/** Why there can be no folder: something else has its name, or nothing can be made there. */
export type FolderErrorCode = "NO_FOLDER";

/** How a folder is made. */
export interface MakeFolderOptions {
  /** Permission bits of what is made, less the umask. Default 0o777. */
  readonly mode?: number;
}

/**
 * Makes the folder where it is missing. Returns whether it did.
 * @throws EdgeError<FolderErrorCode>, or what the file system raised, such as EACCES.
 */
export function makeFolder(path: string, options: MakeFolderOptions = {}): boolean {
  if (isFolder(path)) return false;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent, options);
  try {
    mkdirSync(path, options);
    return true;
  } catch (error) {
    const errno = error instanceof Error && "code" in error ? error.code : undefined;
    // Somebody made it meanwhile, or it is a link that leads nowhere.
    if (errno === "EEXIST" && isFolder(path)) return false;
    if (errno === "EEXIST") throw noFolder(path, "it is a link that leads nowhere");
    if (errno === "ENOENT") throw noFolder(path, `no folder can be made in ${parent}`);
    throw error;
  }
}

function isFolder(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || stat.isDirectory()) return stat !== undefined;
  throw noFolder(path, "it is there and is not a folder");
}

function noFolder(path: string, why: string): EdgeError<FolderErrorCode> {
  const message = `cannot make the folder ${path}: ${why}`;
  return new EdgeError({ code: "NO_FOLDER", message, retryable: false });
}
