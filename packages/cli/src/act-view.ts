// What came of an operator's act, for people and as an exit code. Given what the controller said.

import { ActOutcome, type ActResultRow } from "@fairlead/wire";

import { EXIT, type ExitCode } from "./exit-codes.ts";
import { type CommandContext, complain } from "./output.ts";

const ENDS: Readonly<Record<number, { readonly exit: ExitCode; readonly code: string }>> = {
  [ActOutcome.REFUSED]: { exit: EXIT.refused, code: "REFUSED" },
  [ActOutcome.NOT_FOUND]: { exit: EXIT.notFound, code: "NOT_FOUND" },
  [ActOutcome.FAILED]: { exit: EXIT.bad, code: "FAILED" },
};

/**
 * Says what an act does and did, or in four parts why it was not done.
 * @param undone what was not done then: "192.0.2.10 is not released".
 */
export function tellAct(context: CommandContext, result: ActResultRow, undone: string): ExitCode {
  const { outcome, will, did, why, remedy } = result;
  if (outcome === ActOutcome.DONE) {
    for (const line of will) context.out(`will: ${line}\n`);
    for (const line of did) context.out(`done: ${line}\n`);
    return EXIT.good;
  }
  const { exit, code } = ENDS[outcome] ?? { exit: EXIT.bad, code: "FAILED" };
  const words = why.length === 0 ? "the controller does not say" : why.join("\n        ");
  return complain(context, { what: undone, why: words, remedy, code }, exit);
}
