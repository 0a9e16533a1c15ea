// The file system as the folder source uses it: look, read, listen. Everything that is decided
// about what was found stands elsewhere.

import { join } from "node:path";

import { readFileBounded } from "@fairlead/runtime";

import { type Listing, scanFolder } from "./scan.ts";
import { createFolderWatch, type FolderWatch } from "./watch.ts";

/** A folder that is looked at. */
export interface FolderDisk {
  /** Lists everything. Rejects with EdgeError<ScanErrorCode> when the folder is unfit. */
  scan(): Promise<Listing>;
  /** Reads a file of a listing as UTF-8. Rejects with EdgeError: NOT_FOUND, TOO_LARGE, others. */
  readText(path: string, bytesMax: number): Promise<string>;
  /** Listens to changes as hints; see FolderWatchOptions. */
  watch(onHint: (path: string | undefined) => void): FolderWatch;
}

/** The folder at a path of this machine. */
export function createFolderDisk(root: string): FolderDisk {
  return {
    scan: () => scanFolder(root),
    readText: async (path, bytesMax) =>
      (await readFileBounded(join(root, path), bytesMax)).toString("utf8"),
    watch: (onHint) => createFolderWatch({ root, onHint }),
  };
}
