// Asks agents for a word where two hold a lane by what they said last: only a word from well after
// the later one began tells two masters from a take-over that the other has not told of yet, and an
// agent that has nothing new to say is silent for three seconds. Whoever has the lane alone in the
// end is asked to tell its segment, where the other one was heard last. Given plans; it keeps whom
// it asked.

import { type AgentName, type LaneId, type Plan, type World, laneName } from "@fairlead/model";
import { type LaneHolders, reportedHolders, RIVAL_MS, rivalHolders } from "@fairlead/planner";
import type { Wish } from "@fairlead/wire";

/** What the agents say. */
type Said = Pick<World, "agents" | "nowMs">;
type Placed = Pick<Plan, "lanes" | "leases">;

/** Asks whom it is time to ask. Returns ms until it is time for the next one; undefined: nobody. */
export type AskRivals = (world: Said, plan: Placed) => number | undefined;

/**
 * Makes it, for one term of a leader; nobody is asked twice for one holding of another. A lane that
 * somebody was told to give up is contested from then on, also where a leader before told it.
 * @param ask gives whether it could be asked; who could not is asked the next time.
 */
export function createAskRivals(ask: (agent: AgentName, wish: Wish) => boolean): AskRivals {
  let contested: Contested | undefined;
  return (world, plan) => {
    const holders = reportedHolders(world);
    const known: Contested = contested ?? toldBefore(plan);
    const next = new Map<LaneId, Asked>();
    const isAsked = onceEach(ask);
    let waitMs: number | undefined;
    const rivalries = rivalriesIn(world, plan, holders);
    for (const { lane, sinceMs, silent, inMs, isTold } of rivalries) {
      const before = known.get(lane);
      if (inMs > 0) {
        waitMs = Math.min(waitMs ?? inMs, inMs);
        if (isTold || before !== undefined) next.set(lane, { sinceMs, agents: [] });
        continue;
      }
      const asked = before?.sinceMs === sinceMs ? before.agents : [];
      const agents = silent.filter((one) => asked.includes(one) || isAsked(one, "answer"));
      next.set(lane, { sinceMs, agents });
    }
    for (const [id, asked] of known) {
      if (next.has(id) || !plan.lanes.has(id)) continue;
      const alone = holders.get(laneName(id)) ?? [];
      const areAsked = alone.map((agent) => isAsked(agent, "announcement"));
      if (!areAsked.includes(true)) next.set(id, asked);
    }
    contested = next;
    return waitMs;
  };
}

/** Asks each agent once for each thing, and gives at all times whether it could be asked. */
function onceEach(ask: (agent: AgentName, wish: Wish) => boolean): typeof ask {
  const asked = new Map<string, boolean>();
  return (agent, wish) => {
    const key = `${wish} ${agent}`;
    const isAsked = asked.get(key) ?? ask(agent, wish);
    asked.set(key, isAsked);
    return isAsked;
  };
}

/** Whose word was asked for in a lane that two hold, for the holding that began then. */
interface Asked {
  readonly sinceMs: number;
  readonly agents: readonly AgentName[];
}

/** Lanes that two hold, and those that nobody has alone since. */
type Contested = ReadonlyMap<LaneId, Asked>;

function toldBefore({ lanes }: Placed): Contested {
  const told = [...lanes.values()].filter(({ yielding }) => yielding !== undefined);
  return new Map(told.map(({ id }) => [id, { sinceMs: 0, agents: [] }]));
}

/** A lane that more than one holds by the last words. */
interface Rivalry {
  readonly lane: LaneId;
  /** Those whose word would tell, and who have not said it yet. */
  readonly silent: readonly AgentName[];
  /** When the last of them began, epoch ms. */
  readonly sinceMs: number;
  /** Whether one of them is told to give it up. */
  readonly isTold: boolean;
  /** How long until it is no take-over any more, in ms; at most 0: it is none. */
  readonly inMs: number;
}

function rivalriesIn(
  { agents, nowMs }: Said,
  { lanes, leases }: Placed,
  holders: LaneHolders,
): readonly Rivalry[] {
  return [...lanes.values()].flatMap((lane) => {
    if ((holders.get(laneName(lane.id))?.length ?? 0) < 2) return [];
    const rivals = rivalHolders({ agents }, lane, leases);
    if (rivals === undefined) return [];
    const { saying, sinceMs, silent } = rivals;
    const isTold = lane.yielding?.some(({ agent }) => saying.includes(agent)) === true;
    return [{ lane: lane.id, silent, sinceMs, isTold, inMs: sinceMs + RIVAL_MS - nowMs }];
  });
}
