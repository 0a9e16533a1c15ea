// Everything that SQLite and the store's files can raise, by the codes of stores. Given what
// was caught and the operation. The only place that knows SQLite's numbers.

import { type EdgeError, describeError, isEdgeError } from "@fairlead/runtime";

import { type StoreErrorCode, makeStoreError } from "../store-error.ts";

/** How SQLite's primary result codes read here; see sqlite.org/rescode.html. */
const BY_RESULT: ReadonlyMap<number, readonly [StoreErrorCode, string]> = new Map([
  [5, ["BUSY", "another process has it open"]],
  [6, ["BUSY", "another process has it open"]],
  [8, ["READ_ONLY", "it may not be written"]],
  [10, ["IO", "the disk failed"]],
  [11, ["CORRUPT", "the file is damaged"]],
  [13, ["NO_SPACE", "the disk is full"]],
  [14, ["IO", "the file or its folder cannot be opened"]],
  [26, ["CORRUPT", "the file is no SQLite database"]],
]);

const BY_ERRNO: ReadonlyMap<unknown, readonly [StoreErrorCode, string]> = new Map([
  ["ENOSPC", ["NO_SPACE", "the disk is full"]],
  ["EDQUOT", ["NO_SPACE", "the disk quota is used up"]],
  ["EROFS", ["READ_ONLY", "the file system is read-only"]],
  ["EACCES", ["READ_ONLY", "permission denied"]],
  ["EPERM", ["READ_ONLY", "permission denied"]],
]);

/** SQLite keeps the primary code in the low byte of its extended ones. */
const PRIMARY_MASK = 0xff;

/** Maps what was raised while `operation`, a phrase such as `cannot open the store /x/y`. */
export function storeError(error: unknown, operation: string): EdgeError<StoreErrorCode> {
  if (isEdgeError<StoreErrorCode>(error)) return error;
  const [code, why] = known(error) ?? (["IO", describeError(error)] as const);
  return makeStoreError({ code, message: `${operation}: ${why}`, cause: error });
}

function known(error: unknown): readonly [StoreErrorCode, string] | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") {
    return BY_RESULT.get(error.errcode & PRIMARY_MASK);
  }
  return "code" in error ? BY_ERRNO.get(error.code) : undefined;
}
