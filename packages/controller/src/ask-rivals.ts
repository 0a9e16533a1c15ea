// Asks agents for a word where two hold a lane by what they said last: only a word from after the
// later one began tells two masters from a take-over that the other has not told of yet, and an
// agent that has nothing new to say is silent for three seconds. Whoever has the lane alone in the
// end is asked to tell its segment, where the other one was heard last. Given plans; it keeps whom
// it asked.

import { type AgentName, type LaneId, type Plan, type World, laneName } from "@fairlead/model";
import { type LaneHolders, reportedHolders, rivalHolders } from "@fairlead/planner";
import type { Wish } from "@fairlead/wire";

/**
 * A keepalived that is frozen is ended by its agent some 300 ms after another one took its lanes:
 * whoever were told to give them up just then would have to take them again.
 */
export const RIVAL_MS = 500;

/** What the agents say. */
type Said = Pick<World, "agents" | "nowMs">;
type Placed = Pick<Plan, "lanes" | "leases">;

/** Asks whom it is time to ask. Returns ms until it is time for the next one; undefined: nobody. */
export type AskRivals = (world: Said, plan: Placed) => number | undefined;

/** Makes it; nobody is asked twice for one holding of another. */
export function createAskRivals(ask: (agent: AgentName, wish: Wish) => void): AskRivals {
  /** Lanes that two held for so long, with those whose word was missing. */
  let contested: ReadonlyMap<LaneId, readonly AgentName[]> = new Map();
  return (world, plan) => {
    const holders = reportedHolders(world);
    const rivalries = rivalriesIn(world, plan, holders);
    const over = rivalries.filter(({ inMs }) => inMs <= 0);
    const due = over.flatMap(({ lane, silent }) =>
      silent.filter((agent) => contested.get(lane)?.includes(agent) !== true),
    );
    const settled = [...contested.keys()].filter(
      (id) => !rivalries.some(({ lane }) => lane === id),
    );
    const alone = settled.flatMap((id) => holders.get(laneName(id)) ?? []);
    contested = new Map(over.map(({ lane, silent }) => [lane, silent]));
    for (const agent of new Set(due)) ask(agent, "answer");
    for (const agent of new Set(alone)) ask(agent, "announcement");
    const waits = rivalries.flatMap(({ inMs }) => (inMs > 0 ? inMs : []));
    return waits.length === 0 ? undefined : Math.min(...waits);
  };
}

/** A lane that more than one holds by the last words. */
interface Rivalry {
  readonly lane: LaneId;
  /** Those whose last word is from before the last of them began. */
  readonly silent: readonly AgentName[];
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
    const { saying, sinceMs } = rivals;
    const silent = saying.filter((agent) => (agents.get(agent)?.heardAtMs ?? sinceMs) < sinceMs);
    return [{ lane: lane.id, silent, inMs: sinceMs + RIVAL_MS - nowMs }];
  });
}
