// Everything that SQLite and the store's files can raise, as one closed set of codes. Given what
// was caught and the operation. The only place that knows SQLite's numbers.

import { EdgeError, describeError, isEdgeError } from "@fairlead/runtime";

/**
 * Why the store cannot be used: the disk is full, may not be written, or failed; the file is
 * damaged or not ours; another process has it; a newer release wrote it; it was closed.
 */
export type StoreErrorCode =
  | "NO_SPACE"
  | "READ_ONLY"
  | "CORRUPT"
  | "BUSY"
  | "TOO_NEW"
  | "CLOSED"
  | "IO";

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

/** Makes an error of the store; those of disks and of other processes may pass by themselves. */
export function makeStoreError(options: {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}): EdgeError<StoreErrorCode> {
  const { code } = options;
  const retryable = code === "NO_SPACE" || code === "IO" || code === "BUSY" || code === "READ_ONLY";
  return new EdgeError({ ...options, retryable });
}

function known(error: unknown): readonly [StoreErrorCode, string] | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") {
    return BY_RESULT.get(error.errcode & PRIMARY_MASK);
  }
  return "code" in error ? BY_ERRNO.get(error.code) : undefined;
}
