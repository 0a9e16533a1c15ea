// What is known of one manifest: its last good objects and what is wrong with it now. Pure. A file
// that cannot be read keeps what it last said, and so does each bad object in a good file.

import type { Reason } from "@fairlead/model";

import { title } from "../quote.ts";
import {
  type BadObject,
  type ObjectIdentity,
  type SourceObject,
  identityKey,
  readObjects,
} from "../objects.ts";
import type { ParsedManifest } from "./parse.ts";

/** Largest manifest that is read, in bytes. */
export const FILE_BYTES_MAX: number = 1024 * 1024;
/**
 * A file that had objects and is empty now is most likely being written (a shell empties a file
 * before the command that fills it has run), so it keeps its objects for this long.
 */
export const EMPTY_GRACE_MS = 5000;

/**
 * `missing`: one look lacked it; a second one decides, as editors save by renaming. `isSeen`:
 * whether the kernel told that it went.
 */
export type Presence =
  | { readonly kind: "present" }
  | { readonly kind: "missing"; readonly isSeen: boolean }
  | { readonly kind: "absent"; readonly sinceMs: number };

/** What is known of one file. */
export interface FileState {
  readonly path: string;
  /** Stamp of what was last read or refused; empty: look again. */
  readonly stamp: string;
  readonly presence: Presence;
  /** Last good objects, in the file's order. */
  readonly objects: readonly SourceObject[];
  /** Objects that stand in the file and cannot be used; a good version may be in `objects`. */
  readonly bad: readonly BadObject[];
  /** What is wrong with the file as a whole. */
  readonly problem?: { readonly reason: Reason; readonly detail: string };
  /** False when it could not be read yet: nobody knows what it declares. */
  readonly isKnown: boolean;
  /** Since when it is empty, by the monotonic clock, while that is not believed. */
  readonly emptySinceMs?: number;
}

/** What reading a file gave. */
export type FileReading =
  | { readonly kind: "parsed"; readonly parsed: ParsedManifest; readonly isEmpty: boolean }
  | { readonly kind: "too-large" }
  /** `problem` says why, without the path; its stamp is not kept, so that it is tried again. */
  | { readonly kind: "failed"; readonly problem: string };

/** The next state of a file that was looked at. */
export function nextFileState(options: {
  readonly path: string;
  readonly stamp: string;
  readonly reading: FileReading;
  readonly before: FileState | undefined;
  /** Monotonic ms. */
  readonly nowMs: number;
}): FileState {
  const { path, stamp, reading, before, nowMs } = options;
  const kept: FileState = {
    path,
    stamp,
    presence: { kind: "present" },
    objects: before?.objects ?? [],
    bad: before?.bad ?? [],
    isKnown: before?.isKnown ?? false,
  };
  if (reading.kind === "failed") {
    const problem = { reason: "ManifestUnreadable", detail: reading.problem } as const;
    return { ...kept, stamp: "", problem };
  }
  if (reading.kind === "too-large") {
    const detail = `it has more than ${FILE_BYTES_MAX} bytes`;
    return { ...kept, problem: { reason: "ManifestTooLarge", detail } };
  }
  const { parsed, isEmpty } = reading;
  if (parsed.kind === "bad") {
    return { ...kept, problem: { reason: parsed.reason, detail: parsed.detail } };
  }
  if (isEmpty && kept.objects.length > 0) {
    const emptySinceMs = before?.emptySinceMs ?? nowMs;
    if (nowMs - emptySinceMs < EMPTY_GRACE_MS) return { ...kept, stamp: "", emptySinceMs };
  }
  return { ...kept, ...readDocuments(parsed.documents, path, kept.objects), isKnown: true };
}

function readDocuments(
  documents: readonly unknown[],
  path: string,
  before: readonly SourceObject[],
): Pick<FileState, "objects" | "bad"> {
  const objects: SourceObject[] = [];
  const bad: BadObject[] = [];
  for (const document of documents) {
    const read = readObjects(document, title(path));
    objects.push(...read.objects);
    bad.push(...read.bad);
  }
  const good = new Map(before.map((object) => [identityKey(object.identity), object]));
  const isGood = new Set(objects.map((object) => identityKey(object.identity)));
  for (const { identity } of bad) {
    const key = identity === undefined ? undefined : identityKey(identity);
    const last = key === undefined || isGood.has(key) ? undefined : good.get(key);
    if (last !== undefined) objects.push(last);
  }
  return { objects, bad };
}

/** Identities that the file declares, well or badly. */
export function declaredIdentities(file: FileState): readonly ObjectIdentity[] {
  const good = file.objects.map((object) => object.identity);
  return [...good, ...file.bad.flatMap((bad) => bad.identity ?? [])];
}
