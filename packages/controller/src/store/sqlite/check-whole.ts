// Whether a store's file is whole. Given its path, or the open file. Beside a log of writes, as a
// crash leaves one, it looks before anything else does, and beside a reader that cannot write:
// SQLite brings the log into the file when the last one closes that, also where it was refused, and
// throws the log away where the file is empty. What is refused stays, for whoever mends it.

import { existsSync, rmSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

import { escapeBounded } from "@fairlead/runtime";

import { makeStoreError } from "../store-error.ts";
import { checkIsStore, type Schema } from "./schema.ts";
import { storeError } from "./sqlite-errors.ts";

const FOUND_CHARACTERS_MAX = 200;
/** SQLite takes a file of so many bytes for an empty one. */
const EMPTY_BYTES_MAX = 1;

/**
 * Looks at a file that a crash has left with its log.
 * @throws EdgeError CORRUPT or TOO_NEW; all else is for whoever opens the file to tell.
 */
export function checkLeft(path: string, schema: Schema): void {
  // Whoever has moved the file away begins anew.
  if (!existsSync(path) || bytesOf(`${path}-wal`) === 0) return;
  if (bytesOf(path) <= EMPTY_BYTES_MAX) {
    const message = `the store ${path} is damaged: it is empty, and its log of writes is there`;
    throw makeStoreError({ code: "CORRUPT", message });
  }
  // The index of the log: a reader makes one, and cannot remove it.
  const index = `${path}-shm`;
  const hadIndex = existsSync(index);
  try {
    using reader = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    checkIsStore(reader, path, schema);
    // Constraints are looked at by one that may write alone. It ends before the reader.
    using writer = new DatabaseSync(path, { timeout: 0 });
    checkWhole(writer, path);
  } catch (error) {
    const mapped = storeError(error, `cannot open the store ${path}`);
    if (mapped.code === "CORRUPT" || mapped.code === "TOO_NEW") throw mapped;
  } finally {
    if (!hadIndex) rmSync(index, { force: true });
  }
}

/** SQLite notices damage only where it reads: look once, so that no later write meets it. */
export function checkWhole(database: DatabaseSync, path: string): void {
  const found = database.prepare("PRAGMA quick_check(1)").get()?.["quick_check"];
  if (found === "ok") return;
  const what = escapeBounded(String(found), FOUND_CHARACTERS_MAX);
  throw makeStoreError({ code: "CORRUPT", message: `the store ${path} is damaged: ${what}` });
}

/** 0 where there is no such file. */
function bytesOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
