// When an agent's silence becomes doubt. Pure. Each agent has a moment of its own: when a network
// loses all of them at once, ten thousand verdicts shall not change in the same instant.

import {
  type AgentName,
  type AgentView,
  type PlanSettings,
  type World,
  hashText,
} from "@fairlead/model";

/** The moments of agents that were lost together are spread over this time, in ms. */
export const STALE_SPREAD_MS = 8000;

/** Whether the last report of an agent is in doubt. */
export function isStale(view: AgentView, { nowMs, settings }: StaleWorld): boolean {
  const doubtMs = staleAtMs(view, settings);
  return doubtMs !== undefined && doubtMs <= nowMs;
}

/** What silence is judged by. */
export interface StaleWorld {
  readonly nowMs: number;
  readonly settings: Pick<PlanSettings, "staleAfterMs">;
}

/**
 * Epoch ms from which the last report of an agent is in doubt; undefined while its stream is open
 * or nothing is known of its end. The same agent always waits for the same time.
 */
export function staleAtMs(
  { connected, disconnectedAtMs, name }: AgentView,
  settings: Pick<PlanSettings, "staleAfterMs">,
): number | undefined {
  if (connected || disconnectedAtMs === undefined) return undefined;
  return doubtAtMs(name, disconnectedAtMs, settings);
}

/**
 * Epoch ms from which an agent that did not come to this controller yet is in doubt, as one that
 * went is; undefined: it is already.
 */
export function overdueAtMs(
  name: AgentName,
  { heardSinceMs, settings }: Pick<World, "heardSinceMs" | "settings">,
): number | undefined {
  return heardSinceMs === undefined ? undefined : doubtAtMs(name, heardSinceMs, settings);
}

/** Whether an agent that is not known to this controller may be well all the same. */
export function mayStillCome(name: AgentName, world: World): boolean {
  const overdueMs = world.agents.has(name) ? undefined : overdueAtMs(name, world);
  return overdueMs !== undefined && world.nowMs < overdueMs;
}

function doubtAtMs(
  name: AgentName,
  sinceMs: number,
  { staleAfterMs }: StaleWorld["settings"],
): number {
  return sinceMs + staleAfterMs + (hashText(name) % STALE_SPREAD_MS);
}
