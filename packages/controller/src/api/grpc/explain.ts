// Explains one subject: the chain from what asks to the proof that it is served. Pure.

import type { ExplainResponseSchema, MessageInitShape } from "@fairlead/wire";

import type { AdminContext } from "./admin-context.ts";

/** A chain as the contract's table takes it. */
export type ExplainInit = MessageInitShape<typeof ExplainResponseSchema>;

/** Answers Explain. */
export function explain(_context: AdminContext, _subject: string): ExplainInit {
  return { found: false };
}
