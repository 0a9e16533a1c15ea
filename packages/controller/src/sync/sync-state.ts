// Whether an agent has what it shall have, in the words of tables and explanations. Pure: it reads
// an outbox and changes nothing.

import type { Revision } from "@fairlead/model";
import type { Revisions, UpdateRefusal } from "@fairlead/wire";

import type { RejectedParts, SyncState } from "../ports.ts";
import { type SyncJudgement, tellRefused } from "../rejected-parts.ts";
import { type Outbox, outboxTarget } from "./outbox.ts";
import type { Target } from "./target.ts";

const REFUSAL_DETAILS: Readonly<Record<UpdateRefusal, string>> = {
  "stale-epoch": "the agent obeyed a controller of a later epoch",
  "wrong-base": "the agent has another plan than it said",
  "unconfirmed-removal": "the agent refuses to lose so many VIPs at once unconfirmed",
  invalid: "the agent finds that the plan does not hold together",
};

/** Judges an outbox. */
export function syncStateOf(
  outbox: Outbox,
  planRevisionOf: Revisions["planRevisionOf"],
): SyncState {
  const target = outboxTarget(outbox);
  const wanted = target === undefined ? outbox.wanted?.revision : planRevisionOf(target.entries);
  return {
    ...(wanted === undefined ? {} : { wanted }),
    ...(outbox.applied === undefined ? {} : { acked: outbox.applied }),
    ...judge(outbox, target, wanted),
  };
}

function judge(
  outbox: Outbox,
  target: Target | undefined,
  wanted: Revision | undefined,
): SyncJudgement {
  if (outbox.stream === undefined) {
    return { state: "unknown", detail: "the agent is not connected" };
  }
  if (outbox.wanted === undefined) return { state: "unknown", detail: "no plan was made yet" };
  const whole = wholeRejection(outbox);
  if (whole !== undefined) return { state: "rejected", detail: whole };
  const rest = progressOf(outbox, wanted);
  return rejectionOf(outbox, target, rest) ?? rest;
}

function progressOf(
  { held, applied }: Outbox,
  wanted: Revision | undefined,
): RejectedParts["rest"] {
  if (held === undefined || held.revision !== wanted) {
    return { state: "behind", detail: "the newest plan is on its way" };
  }
  if (applied !== wanted) return { state: "behind", detail: "the newest plan is being applied" };
  return { state: "in-sync", detail: "" };
}

/** Why the agent takes nothing of the plan. */
function wholeRejection({ wanted, stream, refusal }: Outbox): string | undefined {
  if (wanted !== undefined && stream !== undefined && stream.epoch > wanted.epoch) {
    const epochs = `epoch ${stream.epoch}, this controller has ${wanted.epoch}`;
    return `the agent obeyed ${epochs}`;
  }
  return refusal && REFUSAL_DETAILS[refusal.kind];
}

function rejectionOf(
  { wanted, refused, problems }: Outbox,
  target: Target | undefined,
  rest: RejectedParts["rest"],
): SyncJudgement | undefined {
  const current = [...refused, ...problems]
    .filter(([name, { revision }]) => wanted?.resources.get(name)?.revision === revision)
    .map(([name, { remark }]) => [name, remark] as const);
  // What was refused may be reported as well.
  const parts = { refused: [...new Map(current)], rest };
  const withheld = target?.withheld.size ?? 0;
  if (withheld > 0) {
    const detail = `${withheld} VIPs stay: they would go at once, confirmed by nobody`;
    return { state: "rejected", detail, parts };
  }
  return current.length === 0 ? undefined : { ...tellRefused(parts.refused, 1), parts };
}
