// How an address came from one agent to another: why, and how long nobody had it, as far as reports
// prove it. Pure. Agents report when they see a change, so the time between two reports tells of
// the gap. Of a loser that is or was out of reach its successor tells for how long it had heard
// nothing of it; else only a last word bounds the gap. While the loser may be dead without anybody
// knowing, nothing is known.

import {
  type Address,
  type AgentName,
  type AgentView,
  type LaneId,
  type LeasedAddress,
  laneName,
} from "@fairlead/model";
import { canTell, HANDOVER_MS } from "@fairlead/planner";

/** A successor reads what it heard right after it took over: it tells by then, or never, in ms. */
export const TOLD_MS_MAX = 2000;

/** An address that another agent holds than before. */
export interface Move {
  readonly address: Address;
  readonly from: AgentName;
  readonly to: AgentName;
  /** In which it is; absent: in none. */
  readonly lane?: LaneId;
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
  /**
   * The loser is not known to be out of reach and did not speak since, or its successor did not say
   * yet what it heard of it: the gap is known later.
   */
  readonly isOpen?: true;
}

/**
 * Accounts for a move by the agents' last words.
 * @param lastWordMs the loser's last word before the other one spoke, epoch ms, where it was noted.
 */
export function accountOf(
  { address, from, to, lane }: Move,
  agents: ReadonlyMap<AgentName, AgentView>,
  lastWordMs?: number,
): MoveAccount {
  const loser = agents.get(from);
  const winner = agents.get(to);
  const heldMs = winner?.heldSinceMs.get(address);
  if (loser === undefined) return { why: "", heard: "" };
  const hasSpoken = loser.connected || loser.withdrawn === true;
  if (hasSpoken) {
    return spokenOf(loser, address, { heldMs, lastWordMs, silenceMs: silenceMsOf(winner, lane) });
  }
  return lost(loser, winner, { heldMs, lane });
}

/** In which lane an address of this lease is. */
export function inLane(lease: Pick<LeasedAddress, "placement"> | undefined): Pick<Move, "lane"> {
  const placement = lease?.placement;
  return placement?.kind === "lane" ? { lane: placement.lane } : {};
}

/** For how long nobody spoke for the lane before that agent took it over, in ms. */
export function silenceMsOf(
  winner: AgentView | undefined,
  lane: LaneId | undefined,
): number | undefined {
  const name = lane === undefined ? "" : laneName(lane);
  return winner?.report?.lanes.find((one) => one.name === name)?.silenceMs;
}

function lost(
  { name, heardAtMs }: AgentView,
  winner: AgentView | undefined,
  { heldMs, lane }: { readonly heldMs: number | undefined; readonly lane: LaneId | undefined },
): MoveAccount {
  const why = `${name} is out of reach`;
  if (heldMs === undefined) return { why, heard: "" };
  const gapMs = Math.round(heldMs - heardAtMs);
  // Heard of after the other had it: its kernel held it on, and nobody was without it.
  if (gapMs <= 0) return { why, heard: "it was heard of until the other had it", gapMs: 0 };
  const silenceMs = silenceMsOf(winner, lane);
  if (silenceMs !== undefined) return { why, ...unheardFor(silenceMs) };
  const mayTell = lane !== undefined && winner?.connected === true && canTell(winner);
  if (mayTell && winner.heardAtMs - heldMs < TOLD_MS_MAX) return { why, heard: "", isOpen: true };
  // Agents that have nothing to say speak every few seconds, so it may be far too much.
  const heard = "counted from its last word";
  return { why, heard, gapMs, isGapAtMost: true };
}

function unheardFor(silenceMs: number): Pick<MoveAccount, "heard" | "gapMs"> {
  return { heard: `the other had heard nothing of it for ${silenceMs} ms`, gapMs: silenceMs };
}

function spokenOf(
  { name, report, heardAtMs, lostAtMs, heldSinceMs, withdrawn }: AgentView,
  address: Address,
  at: {
    readonly heldMs: number | undefined;
    readonly lastWordMs: number | undefined;
    readonly silenceMs: number | undefined;
  },
): MoveAccount {
  const { heldMs, lastWordMs, silenceMs } = at;
  const hasIt = heldSinceMs.has(address);
  // It may have died a moment ago: its stream tells of that seconds later.
  if (hasIt && heldMs !== undefined && heardAtMs <= heldMs) {
    return { why: `${name} did not speak of it yet`, heard: "", isOpen: true };
  }
  const [trouble] = report?.remarks ?? [];
  const how = withdrawn === true ? "was withdrawn by its operator" : "gave it up";
  const why = trouble === undefined ? `${name} ${how}` : `${name}: ${trouble.detail}`;
  const spokeMs = hasIt ? heardAtMs : lostAtMs?.get(address);
  if (heldMs === undefined || spokeMs === undefined) return { why, heard: "" };
  const gapMs = Math.round(heldMs - spokeMs);
  if (gapMs > 0) return { why, heard: `the other reported it ${gapMs} ms later`, gapMs };
  // A word so late was held up, as the address may have been: that it had it before is all it says.
  if (lastWordMs !== undefined && -gapMs > HANDOVER_MS) {
    if (silenceMs !== undefined) return { why, ...unheardFor(silenceMs) };
    const mostMs = Math.max(0, Math.round(heldMs - lastWordMs));
    const heard = "counted from its last word before";
    return { why, heard, gapMs: mostMs, isGapAtMost: true };
  }
  return { why, heard: "the other reported it first", gapMs: 0 };
}
