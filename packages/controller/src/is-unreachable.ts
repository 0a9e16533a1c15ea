// Whether an error says that nobody answers: of a store or of where the lead is kept, which have
// the same words for it. Pure.

import { isEdgeError } from "@fairlead/runtime";

/** Nobody answers, or not in time. */
const UNREACHABLE: readonly string[] = ["UNREACHABLE", "TIMEOUT"];

/** Whether the other side could not be asked; what it said no to, it was asked. */
export function isUnreachable(error: unknown): boolean {
  return UNREACHABLE.some((code) => isEdgeError(error, code));
}
