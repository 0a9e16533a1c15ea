// What leaves a drained agent, and what stays with it. Pure. Given the world with the drain in it;
// says of all that the agent holds, or was last known to hold, where it goes or why it does not.

import type { AgentName, Lane, World } from "@fairlead/model";
import { drainTarget, holderOf, isDrained, reportedHolders, willOf } from "@fairlead/planner";

import type { PlannedMove, Staying } from "./act.ts";
import { addressesByLane } from "./lane-text.ts";

/** All that an agent holds, by what becomes of it. */
export interface Leaving {
  readonly moves: readonly PlannedMove[];
  readonly stays: readonly Staying[];
}

/** Judges all that the agent holds. */
export function leave(world: World, agent: AgentName): Leaving {
  const holders = reportedHolders(world);
  const will = willOf(world);
  const byLane = addressesByLane(world);
  const moves: PlannedMove[] = [];
  const stays: Staying[] = [];
  for (const lane of world.lanes.values()) {
    // A lane that nobody ever spoke for may be with the one that was to hold it first.
    if ((holderOf(lane, holders) ?? lane.order[0]) !== agent) continue;
    const addresses = byLane.get(lane.id) ?? [];
    const why = whyItStays(world, agent);
    const to = why === undefined ? drainTarget({ world, will, lane, holder: agent }) : undefined;
    if (to !== undefined) moves.push({ lane: lane.id, from: agent, to, addresses });
    else stays.push({ lane: lane.id, addresses, why: why ?? whyNobodyElse(world, lane, agent) });
  }
  for (const { address, placement, pool } of world.leases.values()) {
    if (placement.kind !== "host" || placement.agent !== agent) continue;
    const why = `addresses of pool ${pool} do not move between agents`;
    stays.push({ addresses: [address], why });
  }
  return { moves, stays };
}

/** What keeps all of its lanes; undefined: nothing does. */
function whyItStays(world: World, agent: AgentName): string | undefined {
  if (willOf(world).isFrozen) return "all is frozen; it goes after fairlead thaw";
  if (world.agents.get(agent)?.connected === true) return undefined;
  return `${agent} is out of reach and cannot be told to give it up`;
}

function whyNobodyElse(world: World, { order }: Lane, agent: AgentName): string {
  const others = order.filter((one) => one !== agent);
  if (others.length === 0) return "no other agent is in it";
  const texts = others.map((one) => {
    if (isDrained(world, one)) return `${one} is drained`;
    const isThere = world.agents.get(one)?.connected === true;
    return isThere ? `${one} does not stand by for it` : `${one} is out of reach`;
  });
  return `${texts.join(", ")}; it goes as soon as one can hold it`;
}
