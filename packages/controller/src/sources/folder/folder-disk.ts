// The file system as the folder source uses it: look, read, listen. Everything that is decided
// about what was found stands elsewhere.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { isEdgeError, readFileBounded } from "@fairlead/runtime";

import { STATUS_FOLDER } from "../../folder/own-status.ts";
import { type Listing, scanFolder } from "./scan.ts";
import { createFolderWatch, type FolderWatch } from "./watch.ts";

/** A folder that is looked at. */
export interface FolderDisk {
  /** Lists everything. Rejects with EdgeError<ScanErrorCode> when the folder is unfit. */
  scan(): Promise<Listing>;
  /** Reads a file of a listing as UTF-8. Rejects with EdgeError: NOT_FOUND, TOO_LARGE, others. */
  readText(path: string, bytesMax: number): Promise<string>;
  /** The texts of all status files; none where there is no such folder. Never rejects. */
  readStatuses(): Promise<readonly string[]>;
  /** Listens to changes as hints; see FolderWatchOptions. */
  watch(onHint: (path: string | undefined) => void): FolderWatch;
}

/** The folder at a path of this machine. */
export function createFolderDisk(root: string): FolderDisk {
  return {
    scan: () => scanFolder(root),
    readText: async (path, bytesMax) =>
      (await readFileBounded(join(root, path), bytesMax)).toString("utf8"),
    readStatuses: () => readStatuses(join(root, STATUS_FOLDER)),
    watch: (onHint) => createFolderWatch({ root, onHint }),
  };
}

/** Largest status file that is read; ours are far smaller. */
const STATUS_BYTES_MAX = 64 * 1024;
/** Files that are read at the same time. */
const READS_AT_ONCE = 32;

/** What cannot be read says nothing: it is no more than a help after the store was lost. */
async function readStatuses(folder: string): Promise<readonly string[]> {
  const texts: string[] = [];
  const names = await orNothing(readdir(folder));
  const wanted = (names ?? []).filter((name) => name.endsWith(".yaml")).toSorted();
  for (let from = 0; from < wanted.length; from += READS_AT_ONCE) {
    const some = wanted.slice(from, from + READS_AT_ONCE).map((name) => readStatus(folder, name));
    for (const text of await Promise.all(some)) if (text !== undefined) texts.push(text);
  }
  return texts;
}

async function readStatus(folder: string, name: string): Promise<string | undefined> {
  const path = join(folder, name);
  const stats = await orNothing(lstat(path));
  if (stats?.isFile() !== true || stats.size > STATUS_BYTES_MAX) return undefined;
  const bytes = await orNothing(readFileBounded(path, STATUS_BYTES_MAX));
  return bytes?.toString("utf8");
}

async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isEdgeError(error) || (error instanceof Error && "code" in error)) return undefined;
    throw error;
  }
}
