// Who holds lanes, and who could, by what agents report. Pure. What becomes of lanes that two hold
// is decided elsewhere.

import {
  type AgentName,
  type AgentView,
  type Lane,
  type LaneReport,
  type ResourceName,
  type World,
  compareText,
  laneName,
} from "@fairlead/model";

/** By lane resource, the connected agents that report holding it, sorted. */
export type LaneHolders = ReadonlyMap<ResourceName, readonly AgentName[]>;

/** Gathers who reports holding which lane. */
export function reportedHolders(world: Pick<World, "agents">): LaneHolders {
  const holders = new Map<ResourceName, AgentName[]>();
  for (const agent of world.agents.values()) {
    if (!agent.connected) continue;
    for (const lane of agent.report?.lanes ?? []) {
      if (lane.state !== "holder") continue;
      const known = holders.get(lane.name);
      if (known === undefined) holders.set(lane.name, [agent.name]);
      else known.push(agent.name);
    }
  }
  for (const names of holders.values()) names.sort(compareText);
  return holders;
}

/**
 * Who holds the lane, as far as is known; of several that say so, the one that was known to hold it
 * goes on being named.
 */
export function holderOf(lane: Lane, holders: LaneHolders): AgentName | undefined {
  const reported = holders.get(laneName(lane.id)) ?? [];
  if (lane.holder !== undefined && reported.includes(lane.holder)) return lane.holder;
  return reported[0] ?? lane.holder;
}

/**
 * Whether the lane is held by somebody who is out of sight: nobody says that he holds it, and
 * another one than the agent stands by, so that it hears a holder.
 */
export function isHeldUnseen(
  { agents }: Pick<World, "agents">,
  lane: Pick<Lane, "id">,
  agent: AgentName,
): boolean {
  const others = [...agents.values()].filter((one) => one.connected && one.name !== agent);
  const states = new Set(others.map((view) => laneReportOf(view, lane)?.state));
  return states.has("successor") && !states.has("holder");
}

/** Whether the agent could hold the lane at once: it is connected and says that it stands by. */
export function standsBy(world: Pick<World, "agents">, lane: Lane, agent: AgentName): boolean {
  return world.agents.get(agent)?.connected === true && stateOn(world, lane, agent) === "successor";
}

/** What the agent said last of the lane; undefined: nothing. */
export function stateOn(
  { agents }: Pick<World, "agents">,
  lane: Lane,
  agent: AgentName,
): LaneReport["state"] | undefined {
  return laneReportOf(agents.get(agent), lane)?.state;
}

/** Whether the agent runs the lane, by its last word. */
export function isRunBy(world: Pick<World, "agents">, lane: Lane, agent: AgentName): boolean {
  const state = stateOn(world, lane, agent);
  return state !== undefined && state !== "absent";
}

/** What the agent said last of a lane that it runs, or is about to; undefined: nothing. */
export function laneReportOf(
  view: AgentView | undefined,
  lane: Pick<Lane, "id">,
): LaneReport | undefined {
  const name = laneName(lane.id);
  return view?.report?.lanes.find((one) => one.name === name);
}
