// When the first plan of a leader may be made: once those agents have spoken that the store names,
// or after a moment for agents to connect at all. Pure.

import type { AgentName, AgentView, Lane, LeasedAddress } from "@fairlead/model";

/** How long the first plan waits after an agent's hello for others to follow, in ms. */
const AGENTS_SETTLE_MS = 500;
/** How long the first plan waits for agents at all, in ms. */
const AGENTS_WAIT_MAX_MS = 2000;

/** Agents that have something to do with what is stored. */
export function namedAgents(rows: {
  readonly leases: Iterable<LeasedAddress>;
  readonly lanes: Iterable<Lane>;
}): ReadonlySet<AgentName> {
  const named = new Set<AgentName>();
  for (const { order } of rows.lanes) for (const agent of order) named.add(agent);
  for (const { sentTo, placement } of rows.leases) {
    for (const agent of sentTo) named.add(agent);
    if (placement.kind === "host") named.add(placement.agent);
  }
  return named;
}

/** Milliseconds until the first plan may be made; 0 when it may. All times are monotonic. */
export function firstPlanWaitMs(at: {
  readonly nowMs: number;
  /** When the store was open and every source had listed. */
  readonly openedMs: number;
  /** The last hello since; undefined before the first. */
  readonly helloMs: number | undefined;
  readonly named: ReadonlySet<AgentName>;
  /** Agents by what they said to this leader. */
  readonly agents: ReadonlyMap<AgentName, AgentView>;
}): number {
  const { nowMs, openedMs, helloMs, named, agents } = at;
  const haveSpoken = [...named].every((name) => agents.get(name)?.report !== undefined);
  if (named.size > 0 && haveSpoken) return 0;
  const settledMs = (helloMs ?? Number.POSITIVE_INFINITY) + AGENTS_SETTLE_MS;
  return Math.max(0, Math.min(settledMs, openedMs + AGENTS_WAIT_MAX_MS) - nowMs);
}
