// What the end of a drain brings: lanes that wait on other drained agents for somebody who can hold
// them come at once, and whoever uncordons an agent shall know of them. Pure.

import { type AgentName, type Lane, type World, compareText } from "@fairlead/model";
import { drainTarget, holderOf, reportedHolders, willOf } from "@fairlead/planner";

import type { PlannedMove } from "./act.ts";
import { addressesByLane, addressesText, moveText, WHAT_ENDS } from "./lane-text.ts";

/** What comes, in words and as moves that begin now. */
export interface Coming {
  readonly will: readonly string[];
  readonly moves: readonly PlannedMove[];
}

/**
 * Judges the end of a drain.
 * @param drainId the intent that ends.
 */
export function whatComes(world: World, drainId: string, agent: AgentName): Coming {
  const after = { ...world, intents: world.intents.filter(({ id }) => id !== drainId) };
  const byLane = addressesByLane(world);
  const moves: PlannedMove[] = [];
  const later: string[] = [];
  for (const { lane, from, to } of waitingLanes(after, world, agent)) {
    const addresses = byLane.get(lane.id) ?? [];
    const move: PlannedMove = { lane: lane.id, from, to: agent, addresses };
    if (to === undefined) {
      const what = `lane ${lane.id} waits on ${from} with ${addressesText(addresses)}`;
      later.push(`${what}, and goes to ${agent} as soon as it stands by`);
    } else if (willOf(world).isFrozen) later.push(`${moveText(move)}, after fairlead thaw`);
    else moves.push(move);
  }
  const ends = moves.length === 0 ? [] : [WHAT_ENDS];
  return { will: [...moves.map(moveText), ...ends, ...later], moves };
}

/** Lanes that drained agents hold because nobody but this one may take them. */
function waitingLanes(
  after: World,
  before: World,
  agent: AgentName,
): readonly { readonly lane: Lane; readonly from: AgentName; readonly to?: AgentName }[] {
  const holders = reportedHolders(after);
  const [will, willBefore] = [willOf(after), willOf(before)];
  return [...after.lanes.values()]
    .sort((a, b) => compareText(a.id, b.id))
    .flatMap((lane) => {
      const from = holderOf(lane, holders);
      if (from === undefined || !will.drains.has(from) || !lane.order.includes(agent)) return [];
      const known = { lane, holder: from };
      const isGoing =
        drainTarget({ world: before, will: willBefore, ...known }) !== undefined ||
        after.agents.get(from)?.connected !== true;
      if (isGoing) return [];
      const to = drainTarget({ world: after, will, ...known });
      return [{ lane, from, ...(to === undefined ? {} : { to }) }];
    });
}
