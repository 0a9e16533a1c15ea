// The failures of the lab: what went wrong on the stage, never in the programs under test. Given
// the operation and what was caught. It must never be thrown for a program's own bad exit.

import { EdgeError } from "@fairlead/runtime";

/**
 * Why the lab could not do what was asked. NOT_POSSIBLE: this machine or user cannot have it.
 * COMMAND_FAILED: a command of the stage ended badly. DEADLINE: it took too long. GONE: the host
 * or the lab is not there any more. NO_ANSWER: a server of the stage gave none.
 */
export type LabErrorCode = "NOT_POSSIBLE" | "COMMAND_FAILED" | "DEADLINE" | "GONE" | "NO_ANSWER";

/** A failure of the stage. */
export type LabError = EdgeError<LabErrorCode>;

/** Makes the error; `message` says the operation and the object, lower case, no full stop. */
export function labError(code: LabErrorCode, message: string, cause?: unknown): LabError {
  return new EdgeError({ code, message, retryable: code === "DEADLINE", cause });
}
