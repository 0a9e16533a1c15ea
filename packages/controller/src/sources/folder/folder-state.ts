// What is known of a whole folder: its files over time. Pure. It decides, for every file that a
// look lacked, whether a deletion was seen or whether the folder itself went away: an unmounted
// folder must remove nothing.

import { ABSENCE_MS } from "../../judge-absence.ts";
import { identityKey } from "../objects.ts";
import { quote } from "../quote.ts";
import { type FileReading, type FileState, nextFileState } from "./file-state.ts";
import type { FolderIdentity, ListedFile, Listing } from "./scan.ts";

/** What is known of a folder. Never changed in place. */
export interface FolderState {
  /** By relative path, sorted. */
  readonly files: ReadonlyMap<string, FileState>;
  /** Folders of the last look; empty before the first. */
  readonly folders: ReadonlyMap<string, FolderIdentity>;
  readonly unreadable: ReadonlyMap<string, string>;
  /** Keys of objects that this look ended because they were absent long enough. */
  readonly expired: ReadonlySet<string>;
  /** Why objects are absent and not deleted; absent while nothing is. */
  readonly emptied?: string;
}

/** One look at a folder, with the files read that had to be. */
export interface Look {
  readonly listing: Listing;
  /** By relative path: exactly those that `filesToRead` named, but for those that vanished. */
  readonly readings: ReadonlyMap<string, FileReading>;
  /** Paths that the kernel said were created, renamed or removed since the last look. */
  readonly hints: ReadonlySet<string>;
  /** Monotonic ms. */
  readonly nowMs: number;
}

/** The state before the first look. */
export const EMPTY_FOLDER: FolderState = {
  files: new Map(),
  folders: new Map(),
  unreadable: new Map(),
  expired: new Set(),
};

/** Files whose content may differ from what was read, sorted. */
export function filesToRead(
  state: FolderState,
  listing: Listing,
  hints: ReadonlySet<string>,
): readonly ListedFile[] {
  const files = [...listing.files.values()];
  return files.filter(
    ({ path, stamp }) => state.files.get(path)?.stamp !== stamp || hints.has(path),
  );
}

/** The state after a look. */
export function foldLook(state: FolderState, look: Look): FolderState {
  const files = new Map<string, FileState>();
  for (const { path, stamp } of look.listing.files.values()) {
    const before = state.files.get(path);
    const reading = look.readings.get(path);
    if (reading !== undefined) {
      files.set(path, nextFileState({ path, stamp, reading, before, nowMs: look.nowMs }));
    } else if (before !== undefined) {
      files.set(path, { ...before, presence: { kind: "present" } });
    }
  }
  const causes = new Set<string>();
  const expired = new Set<string>();
  for (const file of state.files.values()) {
    if (look.listing.files.has(file.path)) continue;
    const left = foldMissing(file, absenceCause(state, look, file.path), look);
    if (left === "expired") {
      for (const { identity } of file.objects) expired.add(identityKey(identity));
      continue;
    }
    if (left === "deleted") continue;
    files.set(file.path, left.file);
    if (left.cause !== undefined) causes.add(left.cause);
  }
  const isAbsent = [...files.values()].some(({ presence }) => presence.kind === "absent");
  const emptied = isAbsent ? ([...causes][0] ?? state.emptied) : undefined;
  return {
    files,
    folders: look.listing.folders,
    unreadable: look.listing.unreadable,
    expired,
    ...(emptied === undefined ? {} : { emptied }),
  };
}

/** Whether a file is missing that only one look lacked: a second one soon decides. */
export function isMissingSome(state: FolderState): boolean {
  return [...state.files.values()].some(({ presence }) => presence.kind === "missing");
}

/** Whether a file is empty that had objects, which is believed only after a while. */
export function isEmptySome(state: FolderState): boolean {
  return [...state.files.values()].some(({ emptySinceMs }) => emptySinceMs !== undefined);
}

/** The next state of a file that the list lacks, or how it went. */
function foldMissing(
  file: FileState,
  cause: AbsenceCause | undefined,
  look: Look,
): { readonly file: FileState; readonly cause?: string } | "deleted" | "expired" {
  const { presence } = file;
  if (isBelow(file.path, look.listing.unreadable)) return { file };
  const isSeen = isBelow(file.path, look.hints) || (presence.kind === "missing" && presence.isSeen);
  if (presence.kind === "absent") {
    if (isSeen) return "deleted";
    return look.nowMs - presence.sinceMs >= ABSENCE_MS ? "expired" : { file };
  }
  // Asked at the second look too: the folder may have been replaced since the first one.
  if (cause === undefined || (isSeen && cause.kind === "emptied")) {
    if (presence.kind === "missing") return "deleted";
    return { file: { ...file, presence: { kind: "missing", isSeen } } };
  }
  const absent = { ...file, presence: { kind: "absent", sinceMs: look.nowMs } } as const;
  return { file: absent, cause: cause.words };
}

interface AbsenceCause {
  /** `other-folder`: what was deleted in the old one says nothing about the new one. */
  readonly kind: "other-folder" | "emptied";
  readonly words: string;
}

/** Why a file that is missing now would count as absent; undefined: it was deleted. */
function absenceCause(state: FolderState, look: Look, path: string): AbsenceCause | undefined {
  for (let folder = parentOf(path); ; folder = parentOf(folder)) {
    const before = state.folders.get(folder);
    const now = look.listing.folders.get(folder);
    const isOther = now !== undefined && before !== undefined && !sameFolder(before, now);
    const where = folder === "" ? "the source's path" : quote(folder);
    if (isOther) return { kind: "other-folder", words: `another folder stands at ${where}` };
    if (folder === "") break;
  }
  if (look.listing.files.size > 0) return undefined;
  return { kind: "emptied", words: "all files went without being seen to go" };
}

function sameFolder(a: FolderIdentity, b: FolderIdentity): boolean {
  return a.device === b.device && a.inode === b.inode;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Whether the path or a folder above it, but not the root, is in the set. */
function isBelow(path: string, set: { has(path: string): boolean }): boolean {
  for (let at = path; at !== ""; at = parentOf(at)) if (set.has(at)) return true;
  return false;
}
