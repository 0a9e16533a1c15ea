// The error of every store, with one closed set of codes for all of them. Given what an adapter
// made of the failure; adapters map what their technology raises in a file of their own.

import { EdgeError } from "@fairlead/runtime";

/**
 * Why the store cannot be used: the disk is full, may not be written, or failed; its folder cannot
 * be made; its rows are damaged or not ours; another controller has it; a newer release wrote it;
 * it was closed. Of stores on a network also: nobody answers, no answer came in time (the write may
 * have happened), we may not do it, somebody else has written what is ours, or a later controller
 * took the store.
 */
export type StoreErrorCode =
  | "NO_SPACE"
  | "READ_ONLY"
  | "NO_FOLDER"
  | "CORRUPT"
  | "BUSY"
  | "TOO_NEW"
  | "CLOSED"
  | "IO"
  | "UNREACHABLE"
  | "TIMEOUT"
  | "FORBIDDEN"
  | "CONFLICT"
  | "FENCED";

/** What passes only when people do something about it. */
const LASTING: ReadonlySet<StoreErrorCode> = new Set(["CORRUPT", "TOO_NEW", "CLOSED", "FENCED"]);

/** Makes an error of a store; those of disks, networks and other processes may pass. */
export function makeStoreError(options: {
  readonly code: StoreErrorCode;
  readonly message: string;
  readonly cause?: unknown;
}): EdgeError<StoreErrorCode> {
  return new EdgeError({ ...options, retryable: !LASTING.has(options.code) });
}
