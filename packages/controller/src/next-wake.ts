// When time alone will change a plan: a quarantine ends, an agent's silence becomes doubt, an
// address that nobody holds is withdrawn, one that a stranger had may be tried again, a move is
// given up, who gave a lane up to another one may hold it again, who listens may run its lane,
// neither a new lane nor an agent that did not come yet is waited for any more, or whoever took an
// address over has had the time to tell of the gap. No clock, no I/O.
// Everything else changes by facts, so an idle controller does not wake.

import { type Address, type Plan, type World, changedKeys, laneName } from "@fairlead/model";
import {
  HANDOVER_MS,
  MOVE_MS_MAX,
  STRANGER_MS,
  WITHDRAW_AFTER_MS,
  YIELD_MS,
  listenedMs,
  overdueAtMs,
  staleAtMs,
} from "@fairlead/planner";

import { TOLD_MS_MAX } from "./move-account.ts";
import { type MoveBook, NO_MOVES } from "./move-book.ts";

/** A pause that is never shortened below this, in ms, so that rounding cannot spin the loop. */
const PAUSE_MS_MIN = 10;

/**
 * Milliseconds from the world's time to the next such moment; undefined when there is none.
 * `open`: moves whose gap is not known yet; none by default.
 */
export type NextWake = (world: World, plan: Plan, open?: MoveBook["open"]) => number | undefined;

/** Makes what is asked after each plan. Of leases it reads only those that the plan changed. */
export function createNextWake(): NextWake {
  const restUntilMs = new Map<Address, number>();
  let known: Plan["leases"] = new Map();
  return (world, plan, open = NO_MOVES.open) => {
    for (const address of changedKeys(known, plan.leases)) {
      const state = plan.leases.get(address)?.state;
      if (state?.kind === "quarantined") restUntilMs.set(address, state.untilMs);
      else restUntilMs.delete(address);
    }
    known = plan.leases;
    const toldMs = Array.from(open.values(), (sinceMs) => sinceMs + TOLD_MS_MAX);
    return nextWakeMs(world, plan, [...restUntilMs.values(), ...toldMs]);
  };
}

function nextWakeMs(world: World, plan: Plan, known: readonly number[]): number | undefined {
  const moments = [...known];
  for (const agent of world.agents.values()) {
    for (const lostMs of agent.lostAtMs?.values() ?? []) {
      moments.push(lostMs + HANDOVER_MS, lostMs + WITHDRAW_AFTER_MS);
    }
    for (const { heardAtMs } of agent.strangers?.values() ?? []) {
      moments.push(heardAtMs + STRANGER_MS);
    }
    const doubtMs = staleAtMs(agent, world.settings);
    if (doubtMs !== undefined) moments.push(doubtMs);
  }
  for (const intent of plan.intents) {
    if (intent.kind === "move") moments.push(intent.sinceMs + MOVE_MS_MAX);
  }
  for (const lane of plan.lanes.values()) {
    for (const { sinceMs } of lane.yielding ?? []) moments.push(sinceMs + YIELD_MS);
    for (const agent of lane.order) {
      const isKnown = world.agents.has(agent);
      if (!isKnown) moments.push(overdueAtMs(agent, world) ?? Number.NEGATIVE_INFINITY);
      const resource = plan.nodePlans.get(agent)?.resources.get(laneName(lane.id));
      const listens = resource?.kind === "lane" && resource.listens === true;
      if (listens || !lane.settled) moments.push(listenedMs(world, lane, agent));
    }
  }
  const future = moments.filter((moment) => moment > world.nowMs && Number.isFinite(moment));
  if (future.length === 0) return undefined;
  return Math.max(PAUSE_MS_MIN, Math.min(...future) - world.nowMs);
}
