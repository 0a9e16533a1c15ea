// The order of a lane's agents: where a move is to end comes first, else who really holds it, so
// that a host that returns takes nothing back; agents that are drained come last. Given a lane and
// what is known of its holder; while all is frozen it follows the holder and does nothing else.

import type { AgentName, Lane, World } from "@fairlead/model";

import { standsBy, stateOn } from "./lane-holders.ts";
import { isStale } from "./stale.ts";
import type { Will } from "./will.ts";

/** A move of a lane that is to be made now. */
export interface LaneMove {
  readonly to: AgentName;
  /** The intent that it is made for: a move's, or that of the drain of its holder. */
  readonly intentId: string;
}

/** What ranking knows of a lane. */
export interface RankOptions {
  readonly world: World;
  readonly will: Will;
  /** With the agents that it has now, in the order of last time. */
  readonly lane: Lane;
  /** Who holds it, as far as is known. */
  readonly holder: AgentName | undefined;
  /** Whether some connected agent reports holding it. */
  readonly isHeld: boolean;
}

/** The order, and the move that it is to bring about. */
export interface Ranking {
  readonly order: readonly AgentName[];
  readonly move?: LaneMove;
}

/** Ranks one lane; an order that stays is the same list. */
export function rankLane(options: RankOptions): Ranking {
  const { lane, will, holder } = options;
  const move = wantedMove(options);
  const first = move?.to ?? holder;
  if (first === undefined || !lane.order.includes(first)) return { order: lane.order };
  const rest = lane.order.filter((agent) => agent !== first);
  const isLast = (agent: AgentName): boolean => !will.isFrozen && will.drains.has(agent);
  const order = [first, ...rest.filter((one) => !isLast(one)), ...rest.filter(isLast)];
  const isSame = order.every((agent, i) => agent === lane.order[i]);
  return { order: isSame ? lane.order : order, ...(move === undefined ? {} : { move }) };
}

/** The move that is to be made of this lane, if any. */
function wantedMove(options: RankOptions): LaneMove | undefined {
  const { lane, will, holder, isHeld } = options;
  if (will.isFrozen) return undefined;
  const asked = will.moves.get(lane.id);
  if (asked !== undefined && asked.to !== holder && lane.order.includes(asked.to)) {
    return { to: asked.to, intentId: asked.id };
  }
  const intentId = holder === undefined ? undefined : will.drains.get(holder);
  if (holder === undefined || intentId === undefined) return undefined;
  if (!isHeld && !hasGivenUp(options, holder)) return undefined;
  const to = drainTarget(options);
  return to === undefined ? undefined : { to, intentId };
}

/**
 * Whether the move off that holder is under way: it stands by already for the one that was chosen,
 * which may not have spoken yet.
 */
function hasGivenUp({ world, lane }: RankOptions, holder: AgentName): boolean {
  return lane.order[0] !== holder && stateOn(world, lane, holder) === "successor";
}

/**
 * Who is to hold the lane in the place of its drained holder; undefined: nobody else can, and it
 * stays. One that was chosen stays chosen while nothing speaks against it.
 */
export function drainTarget({
  world,
  will,
  lane,
  holder,
}: Pick<RankOptions, "world" | "will" | "lane" | "holder">): AgentName | undefined {
  const others = lane.order.filter((agent) => agent !== holder && !will.drains.has(agent));
  const [first] = lane.order;
  if (first !== undefined && first === others[0] && mayCome(world, lane, first)) return first;
  return others.find((agent) => standsBy(world, lane, agent));
}

/** Whether the agent may still take the lane: it stood by for it, and was not gone for long. */
function mayCome(world: World, lane: Lane, agent: AgentName): boolean {
  const view = world.agents.get(agent);
  if (view === undefined) return false;
  if (isStale(view, world)) return false;
  const state = stateOn(world, lane, agent);
  return state === "successor" || state === "holder";
}
