// How an address came from one agent to another: why, and how long nobody had it, as far as reports
// prove it. Pure. Agents report when they see a change, so the time between two reports tells of
// the gap, and only a last word before it bounds it.

import type { Address, AgentName, AgentView } from "@fairlead/model";

/** An address that another agent holds than before. */
export interface Move {
  readonly address: Address;
  readonly from: AgentName;
  readonly to: AgentName;
}

/** What is known of a move. */
export interface MoveAccount {
  /** In words, lower case; empty: nothing is known. */
  readonly why: string;
  /** When the two were heard, in words; empty: nothing is known. */
  readonly heard: string;
  /**
   * How long nobody had it, in ms, as far as reports prove it: 0 when both were heard to have it.
   * Absent: nothing is known.
   */
  readonly gapMs?: number;
  /** Nobody measured the gap: it began somewhere after a last word, and was at most so long. */
  readonly isGapAtMost?: true;
}

/** Accounts for a move by the agents' last words. */
export function accountOf(
  { address, from, to }: Move,
  agents: ReadonlyMap<AgentName, AgentView>,
): MoveAccount {
  const loser = agents.get(from);
  const heldMs = agents.get(to)?.heldSinceMs.get(address);
  if (loser === undefined) return { why: "", heard: "" };
  return loser.connected ? givenUp(loser, address, heldMs) : lost(loser, heldMs);
}

function lost({ name, heardAtMs }: AgentView, heldMs: number | undefined): MoveAccount {
  const why = `${name} is out of reach`;
  if (heldMs === undefined) return { why, heard: "" };
  const gapMs = Math.round(heldMs - heardAtMs);
  // Heard of after the other had it: its kernel held it on, and nobody was without it.
  if (gapMs <= 0) return { why, heard: "it was heard of until the other had it", gapMs: 0 };
  // Agents that have nothing to say speak every few seconds, so it may be far too much.
  const heard = `at most ${gapMs} ms without it, by its last word`;
  return { why, heard, gapMs, isGapAtMost: true };
}

function givenUp(
  { name, report, lostAtMs, heldSinceMs }: AgentView,
  address: Address,
  heldMs: number | undefined,
): MoveAccount {
  const lostMs = lostAtMs?.get(address);
  const hasIt = heldSinceMs.has(address);
  const [trouble] = report?.remarks ?? [];
  const why = trouble === undefined ? `${name} gave it up` : `${name}: ${trouble.detail}`;
  if (heldMs === undefined) return { why, heard: "" };
  // One that did not speak of it yet had it when the other one came to have it.
  if (lostMs === undefined) return { why, heard: "", ...(hasIt ? { gapMs: 0 } : {}) };
  const gapMs = Math.round(heldMs - lostMs);
  if (gapMs <= 0) return { why, heard: "the other reported it first", gapMs: 0 };
  return { why, heard: `the other reported it ${gapMs} ms later`, gapMs };
}
