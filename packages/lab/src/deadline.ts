// Deadlines on promises, as the lab's errors. Given the operation's name for the message. It
// cannot stop the work behind the promise.

import { createSystemClock, isEdgeError, withDeadline } from "@fairlead/runtime";
import { labError } from "./lab-error.ts";

/** Settles as `promise` does, or rejects with code DEADLINE after `deadlineMs`. */
export async function within<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  try {
    return await withDeadline(promise, deadlineMs, createSystemClock(), what);
  } catch (error) {
    if (isEdgeError(error, "DEADLINE")) throw labError("DEADLINE", error.message, error);
    throw error;
  }
}
