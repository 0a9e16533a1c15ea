// Who is to give a lane up because another agent holds it too: all but the first in order, once all
// said so well after the last of them began to hold it. Given reports and rows. Who gave it up for
// that stays told so for a while: what made it hold the lane may be there still.

import {
  type Address,
  type AgentName,
  type Lane,
  type LaneYield,
  type LeasedAddress,
  type World,
  laneName,
} from "@fairlead/model";

import { isAlike } from "./alike.ts";
import { type LaneHolders, stateOn } from "./lane-holders.ts";

/** An agent that gave a lane up may hold it again after this long, in ms. */
export const YIELD_MS = 30_000;

/**
 * For so long after another one began to hold a lane the word of who held it before does not count,
 * in ms: an agent ends a frozen keepalived some 300 ms after another one took its lanes, and says
 * until then that it holds them. Whoever had to give them up for that were the only one to serve.
 */
export const RIVAL_MS = 500;

/** What yielding is decided from. */
export interface YieldOptions {
  readonly world: World;
  readonly holders: LaneHolders;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  /** With its order as it is now, and who was told last time. */
  readonly lane: Lane;
}

/** Who says that they hold a lane, of which others say so too. */
export interface RivalHolders {
  readonly saying: readonly AgentName[];
  /** When the last of them began to hold it, epoch ms. */
  readonly sinceMs: number;
  /** Those who held it before, and said nothing from `RIVAL_MS` after `sinceMs` on. */
  readonly silent: readonly AgentName[];
}

/** The agents that are to give the lane up; undefined: none. The same list when it stays. */
export function yieldingOf(options: YieldOptions): readonly LaneYield[] | undefined {
  const { world, holders, rows, lane } = options;
  const reported = holders.get(laneName(lane.id)) ?? [];
  if (reported.length < 2 && lane.yielding === undefined) return undefined;
  const losers = losersOf(world, lane, rows);
  // A clock that was set back must not make it longer.
  const recent = (lane.yielding ?? []).filter(
    ({ sinceMs }) => Math.abs(world.nowMs - sinceMs) < YIELD_MS,
  );
  const isRecent = (agent: AgentName): boolean => recent.some((one) => one.agent === agent);
  const keeper = keeperOf(lane, { reported, losers, isRecent });
  const yielding = lane.order.flatMap((agent): LaneYield[] => {
    // Whoever is the only one that can hold it may.
    const isNeeded = agent === keeper || reported.length === 0;
    if (isNeeded || !(losers.has(agent) || isRecent(agent))) return [];
    const known = lane.yielding?.find((one) => one.agent === agent);
    return [known ?? { agent, sinceMs: world.nowMs }];
  });
  if (yielding.length === 0) return undefined;
  return isAlike(lane.yielding, yielding) ? lane.yielding : yielding;
}

/**
 * Who goes on holding the lane, whatever its order is by now: the first that was not told to give
 * it up, as those that were may have done so already and not have said it.
 */
function keeperOf(
  { order }: Lane,
  given: {
    readonly reported: readonly AgentName[];
    readonly losers: ReadonlySet<AgentName>;
    readonly isRecent: (agent: AgentName) => boolean;
  },
): AgentName | undefined {
  const { reported, losers, isRecent } = given;
  const untold = reported.filter((agent) => !isRecent(agent));
  if (untold.length > 0) return order.find((agent) => untold.includes(agent));
  return order.find((agent) => reported.includes(agent) && !losers.has(agent));
}

/**
 * Agents that are to give the lane up because another one holds it too: all but the first in order
 * of those whose word for it counts.
 */
function losersOf(
  world: Pick<World, "agents">,
  lane: Lane,
  rows: ReadonlyMap<Address, LeasedAddress>,
): ReadonlySet<AgentName> {
  const rivals = rivalHolders(world, lane, rows);
  if (rivals === undefined) return NOBODY;
  const holding = rivals.saying.filter((agent) => !rivals.silent.includes(agent));
  return holding.length < 2 ? NOBODY : new Set(holding.slice(1));
}

/**
 * Those who say, in the lane's order, that they hold it, where more than one does. Who is silent
 * since may have lost it, and not have said so yet.
 */
export function rivalHolders(
  world: Pick<World, "agents">,
  lane: Lane,
  rows: ReadonlyMap<Address, LeasedAddress>,
): RivalHolders | undefined {
  const saying = lane.order.filter(
    (agent) =>
      world.agents.get(agent)?.connected === true && stateOn(world, lane, agent) === "holder",
  );
  if (saying.length < 2) return undefined;
  const began = new Map(saying.map((agent) => [agent, 0]));
  for (const { address, placement } of rows.values()) {
    if (placement.kind !== "lane" || placement.lane !== lane.id) continue;
    for (const [agent, atMs] of began) {
      const sinceMs = world.agents.get(agent)?.heldSinceMs.get(address) ?? 0;
      if (sinceMs > atMs) began.set(agent, sinceMs);
    }
  }
  const sinceMs = Math.max(...began.values());
  const silent = saying.filter((agent) => {
    const heardAtMs = world.agents.get(agent)?.heardAtMs ?? 0;
    return began.get(agent) !== sinceMs && heardAtMs < sinceMs + RIVAL_MS;
  });
  return { saying, sinceMs, silent };
}

const NOBODY: ReadonlySet<AgentName> = new Set();
