// Who waits in a lane that nobody has held yet: all but the one who is to hold it, until they hear
// that one. Two hosts that a firewall keeps from hearing each other would both hold it. Given
// reports and rows alone, so that a controller that was restarted in the middle decides the same.

import type { Address, AgentName, Lane, LeasedAddress, World } from "@fairlead/model";

import { canTell, hearingOf, listenedMs } from "./hearing.ts";
import { isStale, mayStillCome } from "./stale.ts";
import { hasTried, isStuck } from "./stuck.ts";

/** What it is decided from. */
export interface NewLaneOptions {
  readonly world: World;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
}

/**
 * The agents that may hold a new lane, who is to hold it first: who has gone for long is passed
 * over, and who has said for some seconds that it cannot run the lane.
 * @param has whether the agent has a link for the lane.
 */
export function firstIn(
  options: NewLaneOptions,
  lane: Lane,
  has: (agent: AgentName) => boolean,
): readonly AgentName[] {
  const { world } = options;
  return lane.order.filter((agent) => {
    const view = world.agents.get(agent);
    if (view === undefined) return mayStillCome(agent, world);
    if (!has(agent) || isStale(view, world)) return false;
    return !(isStuck(options, lane, view) && hasTried(options, lane, agent));
  });
}

/** Of whom it is asked. */
export interface WaitingOptions {
  /** Whether the agent has a link for the lane. */
  readonly has: (agent: AgentName) => boolean;
  /** Those that were sent VIPs of the lane: they run it, or are about to. */
  readonly sent: ReadonlySet<AgentName>;
}

/**
 * The agents that listen until they hear who is to hold the lane. Who cannot say what it hears runs
 * it at once, as does whoever hears that one in another lane when this one begins. Where that one
 * is silent and its own address does not answer either, it is gone: the next one runs the lane.
 */
export function waitingForFirst(
  options: NewLaneOptions,
  lane: Lane,
  { has, sent }: WaitingOptions,
): readonly AgentName[] {
  const { world } = options;
  const [first, next] = firstIn(options, lane, has);
  if (first === undefined) return [];
  return lane.order.filter((agent) => {
    const view = world.agents.get(agent);
    if (agent === first || !canTell(view)) return false;
    const known = heardOf(world, { agent, of: first });
    if (known === "unheard") return true;
    if (sent.has(agent)) return false;
    // Whoever came after that one was told of the lane may not be spoken to in it.
    const assumed = sent.size === 0 ? known : undefined;
    const state = hearingOf(view, { id: lane.id, holder: first }) ?? assumed;
    if (state !== undefined) return state === "unheard";
    const hasListened = view !== undefined && view.heardAtMs >= listenedMs(world, lane, agent);
    return agent !== next || !hasListened;
  });
}

/** What the agent says of another one by the lanes that one holds; a miss outweighs the rest. */
function heardOf(
  { agents, lanes }: Pick<World, "agents" | "lanes">,
  { agent, of }: { readonly agent: AgentName; readonly of: AgentName },
): ReturnType<typeof hearingOf> {
  const view = agents.get(agent);
  if (view?.report?.hearing === undefined) return undefined;
  let known: ReturnType<typeof hearingOf>;
  for (const lane of lanes.values()) {
    if (lane.holder !== of) continue;
    const state = hearingOf(view, lane);
    if (state === "unheard") return state;
    known ??= state;
  }
  return known;
}
