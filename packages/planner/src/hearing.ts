// Whether agents hear the adverts of a lane's holder. Given what they report. An agent that does
// not, although the holder's own address answers it, would hold the lane beside it: it is told, and
// leaves the lane for as long as that is so.

import {
  ADVERTS_MISSED,
  type AgentName,
  type AgentView,
  type Finding,
  type Lane,
  type LaneHearing,
  type Remark,
  type World,
  compareText,
  laneName,
} from "@fairlead/model";

import { isHeldUnseen, laneReportOf } from "./lane-holders.ts";
import type { LaneResources } from "./lane-resources.ts";
import type { Witnesses } from "./witness.ts";

type Agents = World["agents"];

/** Who misses adverts reads twice, and asks who answers: all told with some room, in ms. */
const LISTEN_MS = 6000;

/** Whether the agent says of itself what it hears. */
export function canTell(view: AgentView | undefined): boolean {
  return view?.hello.capabilities.includes("hearing") === true;
}

/**
 * What it says of the lane; undefined: nothing is known. What it said of another holder than the
 * lane's is none.
 */
export function hearingOf(
  view: AgentView | undefined,
  lane: Pick<Lane, "id" | "holder">,
): LaneHearing["state"] | undefined {
  const name = laneName(lane.id);
  const said = view?.report?.hearing?.find((one) => one.lane === name);
  const isOfHolder = said?.holder === undefined || said.holder === lane.holder;
  return isOfHolder || said.state === "unable" ? said?.state : undefined;
}

/** The lane's holder, when it is in reach and says that it holds it. */
export function livingHolder(agents: Agents, lane: Lane): AgentView | undefined {
  const view = lane.holder === undefined ? undefined : agents.get(lane.holder);
  if (view?.connected !== true) return undefined;
  return laneReportOf(view, lane)?.state === "holder" ? view : undefined;
}

/**
 * Whether an agent that runs the lane has to leave it. Only the holder's word from after it was
 * missed counts: one that died says nothing more, and is followed by whoever misses it.
 */
export function isDeafTo(agents: Agents, lane: Lane, agent: AgentName): boolean {
  const view = agents.get(agent);
  if (view?.connected !== true || hearingOf(view, lane) !== "unheard") return false;
  const holder = livingHolder(agents, lane);
  if (holder === undefined || holder.name === agent) return false;
  const sinceMs = view.unheardSinceMs?.get(laneName(lane.id));
  return sinceMs !== undefined && holder.heardAtMs >= sinceMs;
}

/**
 * Whether an agent outside the lane has to stay there: it does not hear who holds it, or could say
 * so and did not yet. When nobody holds the lane, or its holder is gone, it is needed.
 */
export function mustListen(world: ListenWorld, lane: Lane, agent: AgentName): boolean {
  const { agents } = world;
  const view = agents.get(agent);
  if (!canTell(view) || lane.holder === undefined || lane.holder === agent) return false;
  const isLiving = livingHolder(agents, lane) !== undefined;
  // What it says of that may be on its way until it is heard again.
  const hasListened = view !== undefined && view.heardAtMs >= listenedMs(world, lane, agent);
  // Whoever gave it up, somebody else may have it by now, who does not know of the newcomer.
  if (!isLiving && agents.get(lane.holder)?.connected === true) {
    return !hasListened || isHeldUnseen(world, lane, agent);
  }
  const state = hearingOf(view, lane);
  if (state !== undefined) return state === "unheard";
  // A holder out of sight may be well, and speak to others alone: whoever has listened for long
  // enough and says nothing of it found that it does not answer either.
  return isLiving || !hasListened;
}

/** What is known of agents now, and how often holders speak. */
export type ListenWorld = Pick<World, "agents" | "nowMs" | "settings">;

/**
 * When the agent has had the lane for long enough to miss its holder, or to hold it itself, epoch
 * ms; infinite before it has the lane.
 */
export function listenedMs(
  { agents, settings }: Pick<ListenWorld, "agents" | "settings">,
  lane: Pick<Lane, "id">,
  agent: AgentName,
): number {
  const sinceMs = agents.get(agent)?.laneSinceMs?.get(laneName(lane.id));
  return sinceMs === undefined ? Number.POSITIVE_INFINITY : sinceMs + listenMs(settings);
}

/** How long it takes to miss a holder, or to hold a lane, in ms. */
export function listenMs({ advertIntervalMs }: World["settings"]): number {
  return ADVERTS_MISSED * advertIntervalMs + LISTEN_MS;
}

/** Lanes with who runs them, and what agents say. */
export interface UnheardOptions {
  readonly resources: LaneResources;
  readonly witnesses: Witnesses;
}

/**
 * What is said of the lane's addresses: who left it, because it does not hear the holder. One that
 * the holder was not told of yet hears nothing, and no firewall is to blame.
 */
export function unheardIn(lane: Lane, { resources, witnesses }: UnheardOptions): readonly Remark[] {
  const { holder } = lane;
  if (holder === undefined) return [];
  return listenersOf(lane, resources).flatMap((agent) => {
    const view = witnesses.get(agent)?.view;
    const isDeaf = view?.connected === true && hearingOf(view, lane) === "unheard";
    const isSpokenTo = speaksTo(witnesses.get(holder)?.view, lane, agent);
    return isDeaf && isSpokenTo ? [unheard(agent, holder, lane)] : [];
  });
}

/** Whether the holder speaks to the agent, as far as it says whom it speaks to in the lane. */
function speaksTo(holder: AgentView | undefined, lane: Lane, agent: AgentName): boolean {
  const order = laneReportOf(holder, lane)?.order;
  return order === undefined || order.some((peer) => peer.agent === agent);
}

/** One finding for each agent and lane that it left. Sorted by agent. */
export function findUnheard(options: UnheardOptions, lanes: Iterable<Lane>): readonly Finding[] {
  const found: Finding[] = [];
  for (const lane of lanes) {
    for (const agent of listenersOf(lane, options.resources)) {
      const [remark] = unheardIn({ ...lane, order: [agent] }, options);
      if (remark !== undefined) found.push({ subject: "agent", name: agent, ...remark });
    }
  }
  return found.sort((a, b) => compareText(a.name, b.name) || compareText(a.detail, b.detail));
}

function listenersOf({ id, order }: Lane, resources: LaneResources): readonly AgentName[] {
  return order.filter((agent) => resources.get(id)?.get(agent)?.listens === true);
}

function unheard(agent: AgentName, holder: AgentName, { id }: Lane): Remark {
  const detail =
    `${agent} does not hear the adverts of ${holder} in lane ${id}, though ${holder} answers it: ` +
    "is protocol 112 dropped between them?";
  return { reason: "PeersUnheard", detail };
}
