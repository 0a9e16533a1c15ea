// Moves from an agent that this leader never saw with the address: the store says that it had it.
// Such a move was made while no controller led, or as one came to lead. Pure. What a leader
// recorded is in the store by then, so that the next one tells nothing again; an older copy of a
// store lets it tell a move once more.

import type { Address, AgentName, AgentView, LeasedAddress, World } from "@fairlead/model";
import { canTell } from "@fairlead/planner";

import { type Move, type MoveAccount, silenceMsOf, TOLD_MS_MAX } from "./move-account.ts";

/** What of a world tells of moves, with what is stored. */
export type MoveWorld = Pick<World, "agents" | "nowMs" | "leases" | "lanes" | "intents">;

/**
 * Who had each address, by the store. Of one that was never seen served nobody knows, and one that
 * nobody asks for is with nobody.
 */
export function storedHolders(world: Pick<MoveWorld, "leases" | "lanes">): HolderMap {
  const holders = new Map<Address, AgentName>();
  for (const lease of world.leases.values()) {
    if (lease.state.kind !== "held" || !lease.published) continue;
    const holder = holderOf(lease, world);
    if (holder !== undefined) holders.set(lease.address, holder);
  }
  return holders;
}

/** Who has which address. */
export type HolderMap = ReadonlyMap<Address, AgentName>;

function holderOf(
  { placement }: LeasedAddress,
  { lanes }: Pick<MoveWorld, "lanes">,
): AgentName | undefined {
  if (placement.kind === "lane") return lanes.get(placement.lane)?.holder;
  return placement.kind === "host" ? placement.agent : undefined;
}

/**
 * For which stored intent the address came there, in words; undefined: for none. Who is to hold a
 * lane by our will is the first of its order before it holds it.
 */
export function storedCause(
  { lanes, intents }: Pick<MoveWorld, "lanes" | "intents">,
  { from, to, lane }: Move,
): string | undefined {
  if (lane === undefined || lanes.get(lane)?.order[0] !== to) return undefined;
  for (const intent of intents) {
    const isDrain = intent.kind === "drain" && intent.agent === from;
    if (isDrain) return withFound(`${from} is drained`, from);
    const isTheirs = intent.kind === "move" && intent.lane === lane && intent.to === to;
    if (isTheirs) return withFound("moved by an operator", from);
    if (intent.kind === "rebalance") return withFound("rebalanced", from);
  }
  return undefined;
}

/** When it was is not known, which has to be said where people read how long ago it was told. */
function withFound(why: string, from: AgentName): string {
  return `${why}; ${from} had it before this controller led`;
}

/**
 * Accounts for a move that was found. Times of reports are of this lead, and tell nothing of it:
 * the gap is what the successor's host heard, or not known.
 * @param foundAtMs epoch ms.
 */
export function foundAccountOf(
  { from, to, lane }: Move,
  { agents, nowMs }: Pick<MoveWorld, "agents" | "nowMs">,
  foundAtMs: number,
): MoveAccount {
  const winner = agents.get(to);
  const why = withFound(whereIs(from, agents.get(from)), from);
  const gapMs = silenceMsOf(winner, lane);
  if (gapMs !== undefined) {
    return { why, heard: `nobody spoke for it for ${gapMs} ms before the other did`, gapMs };
  }
  // It may have taken over a moment ago.
  const mayTell = lane !== undefined && winner?.connected === true && canTell(winner);
  const isOpen = mayTell && nowMs - foundAtMs < TOLD_MS_MAX;
  return { why, heard: "", ...(isOpen ? { isOpen } : {}) };
}

function whereIs(name: AgentName, loser: AgentView | undefined): string {
  if (loser?.withdrawn === true) return `${name} was withdrawn by its operator`;
  return loser?.connected === true ? `${name} has it no more` : `${name} is out of reach`;
}
