// Operators' acts as calls of AdminService. Given how the loop does them; reads what was asked for,
// and says what came of it in the contract's words. It changes nothing by itself.

import { type AgentName, parseAddress, parseAgentName } from "@fairlead/model";
import { quoteValue } from "@fairlead/runtime";
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
import { notKnownHere } from "./standby-words.ts";

/** An answer that carries what came of an act. */
export interface ActAnswer {
  readonly result: MessageInitShape<typeof ActResultSchema>;
}

/** How the loop does an act. */
export type DoAct = (act: Act) => Promise<ActResult>;

/** Answers DrainAgent. */
export async function drainAgent(
  doAct: DoAct,
  { name, dryRun }: { readonly name: string; readonly dryRun: boolean },
): Promise<ActAnswer> {
  return await ofAgent(name, (agent) => doAct({ kind: "drain", agent, isDryRun: dryRun }));
}

/** Answers UncordonAgent. */
export async function uncordonAgent(doAct: DoAct, text: string): Promise<ActAnswer> {
  return await ofAgent(text, (agent) => doAct({ kind: "uncordon", agent }));
}

/** Answers MoveAddress. */
export async function moveAddress(
  doAct: DoAct,
  asked: { readonly address: string; readonly to: string; readonly dryRun: boolean },
): Promise<ActAnswer> {
  const address = parseAddress(asked.address);
  if (address === undefined) return noAddress(asked.address);
  const isDryRun = asked.dryRun;
  return await ofAgent(asked.to, (to) => doAct({ kind: "move", address, to, isDryRun }));
}

/** Answers Rebalance. */
export async function rebalance(
  doAct: DoAct,
  { dryRun }: { readonly dryRun: boolean },
): Promise<ActAnswer> {
  return answerOf(await doAct({ kind: "rebalance", isDryRun: dryRun }));
}

/** Answers Freeze and Thaw. */
export async function setFrozen(doAct: DoAct, isFrozen: boolean): Promise<ActAnswer> {
  return answerOf(await doAct({ kind: isFrozen ? "freeze" : "thaw" }));
}

/** Answers ReleaseLease. */
export async function releaseLease(doAct: DoAct, text: string): Promise<ActAnswer> {
  const address = parseAddress(text);
  if (address === undefined) return noAddress(text);
  return answerOf(await doAct({ kind: "release", address }));
}

/** Answers ForgetAgent. */
export async function forgetAgent(doAct: DoAct, text: string): Promise<ActAnswer> {
  return await ofAgent(text, (agent) => doAct({ kind: "forget", agent }));
}

async function ofAgent(
  text: string,
  act: (agent: AgentName) => Promise<ActResult>,
): Promise<ActAnswer> {
  const agent = parseAgentName(text);
  if (agent !== undefined) return answerOf(await act(agent));
  return notFound(`${quoteValue(text)} is no agent's name`, "Look at fairlead agents.");
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

/**
 * Answers ExportLeases: what is durable. Throws a NotReadyError while that is not known here:
 * an empty book would be kept as a good one.
 */
export function exportLeases(view: CycleView): MessageInitShape<typeof ExportLeasesResponseSchema> {
  const { plan } = view;
  if (plan === undefined) throw notKnownHere("leases", view);
  return { book: encodeLeaseBook(plan.leases.values()) };
}

function noAddress(text: string): ActAnswer {
  return notFound(`${quoteValue(text)} is no address`, "Look at fairlead lease list.");
}

function notFound(why: string, remedy: string): ActAnswer {
  return answerOf({ kind: "not-found", why: [why], remedy });
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
    const { will, did, remedy } = result;
    const moves = result.moves.map((move) => ({ ...move, addresses: [...move.addresses] }));
    const stays = result.stays.map((one) => ({ ...one, addresses: [...one.addresses] }));
    return { result: { outcome, will: [...will], did: [...did], remedy, moves, stays } };
  }
  return { result: { outcome, why: [...result.why], remedy: result.remedy } };
}
