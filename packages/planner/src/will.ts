// What operators want of agents and lanes, read off their intents. Pure. What it leads to is
// decided where lanes are ranked and VIPs are placed.

import { type AgentName, type Intent, type LaneId, type World, compareText } from "@fairlead/model";

/** An operator's wish, or a rebalance's, that an agent hold a lane. */
export type MoveIntent = Extract<Intent, { kind: "move" }>;

/** The intents of one world, by what they are about. */
export interface Will {
  /** Nothing moves by our will. */
  readonly isFrozen: boolean;
  /** By agent that is drained, the id of the intent. */
  readonly drains: ReadonlyMap<AgentName, string>;
  /** By lane, the move that counts: the newest. */
  readonly moves: ReadonlyMap<LaneId, MoveIntent>;
}

/** Reads the intents. */
export function willOf({ intents }: Pick<World, "intents">): Will {
  const drains = new Map<AgentName, string>();
  const moves = new Map<LaneId, MoveIntent>();
  for (const intent of intents) {
    if (intent.kind === "drain") drains.set(intent.agent, intent.id);
    if (intent.kind !== "move") continue;
    const known = moves.get(intent.lane);
    if (known === undefined || isNewer(intent, known)) moves.set(intent.lane, intent);
  }
  return { isFrozen: isFrozen({ intents }), drains, moves };
}

/** Whether the agent is being drained: what others can hold is not for it. */
export function isDrained({ intents }: Pick<World, "intents">, name: AgentName): boolean {
  return intents.some((intent) => intent.kind === "drain" && intent.agent === name);
}

/** Whether nothing is to move by our will. */
export function isFrozen({ intents }: Pick<World, "intents">): boolean {
  return intents.some(({ kind }) => kind === "freeze");
}

function isNewer(a: MoveIntent, b: MoveIntent): boolean {
  return a.sinceMs > b.sinceMs || (a.sinceMs === b.sinceMs && compareText(a.id, b.id) > 0);
}
