// Operators' acts as calls of AdminService. Given how the loop does them; reads what was asked for,
// and says what came of it in the contract's words. It changes nothing by itself.

import { parseAddress, parseAgentName } from "@fairlead/model";
import {
  ActOutcome,
  type ActResultSchema,
  type ExportLeasesResponseSchema,
  type ImportLeasesRequest,
  type MessageInitShape,
  decodeLeaseBook,
  encodeLeaseBook,
} from "@fairlead/wire";

import type { Act, ActResult } from "../../acts/act.ts";
import type { CycleView } from "../../cycle-view.ts";

/** An answer that carries what came of an act. */
export interface ActAnswer {
  readonly result: MessageInitShape<typeof ActResultSchema>;
}

/** How the loop does an act. */
export type DoAct = (act: Act) => Promise<ActResult>;

/** Answers ReleaseLease. */
export async function releaseLease(doAct: DoAct, text: string): Promise<ActAnswer> {
  const address = parseAddress(text);
  if (address === undefined) return notFound(`${JSON.stringify(text)} is no address`);
  return answerOf(await doAct({ kind: "release", address }));
}

/** Answers ForgetAgent. */
export async function forgetAgent(doAct: DoAct, text: string): Promise<ActAnswer> {
  const agent = parseAgentName(text);
  if (agent === undefined) return notFound(`${JSON.stringify(text)} is no agent's name`);
  return answerOf(await doAct({ kind: "forget", agent }));
}

/** Answers ImportLeases. */
export async function importLeases(
  doAct: DoAct,
  { book, dryRun }: Pick<ImportLeasesRequest, "book" | "dryRun">,
): Promise<ActAnswer> {
  const read = decodeLeaseBook(book);
  if (read.kind === "ok") {
    return answerOf(await doAct({ kind: "import", leases: read.leases, isDryRun: dryRun }));
  }
  const remedy = "Give a file that fairlead lease export wrote.";
  return answerOf({ kind: "refused", why: read.problems, remedy });
}

/** Answers ExportLeases: what is durable. */
export function exportLeases({
  plan,
}: CycleView): MessageInitShape<typeof ExportLeasesResponseSchema> {
  return { book: encodeLeaseBook(plan?.leases.values() ?? []) };
}

function notFound(why: string): ActAnswer {
  return answerOf({ kind: "not-found", why: [why], remedy: "Look at fairlead status." });
}

const OUTCOMES: Readonly<Record<ActResult["kind"], ActOutcome>> = {
  done: ActOutcome.DONE,
  refused: ActOutcome.REFUSED,
  "not-found": ActOutcome.NOT_FOUND,
  failed: ActOutcome.FAILED,
};

function answerOf(result: ActResult): ActAnswer {
  const outcome = OUTCOMES[result.kind];
  if (result.kind === "done") {
    return { result: { outcome, will: [...result.will], did: [...result.did] } };
  }
  return { result: { outcome, why: [...result.why], remedy: result.remedy } };
}
