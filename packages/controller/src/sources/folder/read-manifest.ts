// Reads and parses one file of a folder. Given what the listing said of it; never reads more than
// the bound, and never a device or a pipe.

import { describeError, isEdgeError } from "@fairlead/runtime";

import { FILE_BYTES_MAX, type FileReading } from "./file-state.ts";
import type { FolderDisk } from "./folder-disk.ts";
import { parseManifest } from "./parse.ts";
import type { ListedFile } from "./scan.ts";

/** Room for a file that grows between the list and the reading. */
const GROWTH_BYTES = 4096;

/** The file's documents, or why there are none; undefined when it vanished since it was listed. */
export async function readManifest(
  disk: FolderDisk,
  file: ListedFile,
): Promise<FileReading | undefined> {
  if (file.size > FILE_BYTES_MAX) return { kind: "too-large" };
  try {
    const text = await readText(disk, file.path, file.size + GROWTH_BYTES);
    const parsed = parseManifest(text, file.path.endsWith(".json") ? "json" : "yaml");
    return { kind: "parsed", parsed, isEmpty: text.trim() === "" };
  } catch (error) {
    if (!isEdgeError(error)) throw error;
    if (error.code === "NOT_FOUND") return undefined;
    if (error.code === "TOO_LARGE") return { kind: "too-large" };
    return { kind: "failed", problem: describeError(error) };
  }
}

/** A buffer of the whole bound for each small file would cost ten times the reading. */
async function readText(disk: FolderDisk, path: string, bytesLikely: number): Promise<string> {
  if (bytesLikely < FILE_BYTES_MAX) {
    try {
      return await disk.readText(path, bytesLikely);
    } catch (error) {
      if (!isEdgeError(error, "TOO_LARGE")) throw error;
    }
  }
  return await disk.readText(path, FILE_BYTES_MAX);
}
