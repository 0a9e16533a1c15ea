// Whether an agent has what it shall have, in the words of tables and explanations. Pure: it reads
// an outbox and changes nothing.

import type { ResourceName, Revision } from "@fairlead/model";
import type { Revisions, UpdateRefusal } from "@fairlead/wire";

import type { SyncState } from "../ports.ts";
import { type Outbox, outboxTarget } from "./outbox.ts";
import type { Refusal, Target } from "./target.ts";

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
): Pick<SyncState, "state" | "detail" | "reason"> {
  const { stream, held, applied } = outbox;
  if (stream === undefined) return { state: "unknown", detail: "the agent is not connected" };
  if (outbox.wanted === undefined) return { state: "unknown", detail: "no plan was made yet" };
  const rejection = rejectionOf(outbox, target);
  if (rejection !== undefined) return { state: "rejected", ...rejection };
  if (held === undefined || held.revision !== wanted) {
    return { state: "behind", detail: "the newest plan is on its way" };
  }
  if (applied !== wanted) return { state: "behind", detail: "the newest plan is being applied" };
  return { state: "in-sync", detail: "" };
}

type Rejection = Pick<SyncState, "detail" | "reason">;

function rejectionOf(outbox: Outbox, target: Target | undefined): Rejection | undefined {
  const { wanted, stream, refusal, refused, problems } = outbox;
  if (wanted !== undefined && stream !== undefined && stream.epoch > wanted.epoch) {
    const epochs = `epoch ${stream.epoch}, this controller has ${wanted.epoch}`;
    return { detail: `the agent obeyed ${epochs}` };
  }
  if (refusal !== undefined) return { detail: REFUSAL_DETAILS[refusal.kind] };
  const withheld = target?.withheld.size ?? 0;
  if (withheld > 0) {
    return { detail: `${withheld} VIPs stay: they would go at once, confirmed by nobody` };
  }
  const current = [...refused, ...problems].filter(
    ([name, { revision }]) => wanted?.resources.get(name)?.revision === revision,
  );
  return listed(current);
}

/** The first of a list with how many more there are; undefined when it is empty. */
function listed(entries: readonly (readonly [ResourceName, Refusal])[]): Rejection | undefined {
  const [first] = entries;
  if (first === undefined) return undefined;
  const more = entries.length > 1 ? ` (and ${entries.length - 1} more)` : "";
  const [name, { remark }] = first;
  return { detail: `${name}: ${remark.detail}${more}`, reason: remark.reason };
}
