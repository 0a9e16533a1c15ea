// When the first plan of a leader may be made: once those agents have spoken that the store names,
// or after a moment for agents to connect at all. One that is here and has not said what it has is
// waited for longer than one that may be dead. And what that plan does not believe of the store.
// Pure.

import {
  type Address,
  type AgentName,
  type AgentView,
  type ClaimId,
  type Lane,
  type LeasedAddress,
  type World,
  laneName,
  patchMap,
} from "@fairlead/model";
import { forgottenAgents } from "@fairlead/planner";

import type { ClusterState } from "./cluster-state.ts";
import { worldOf } from "./freeze-claims.ts";

/** How long it waits after an agent's hello for others to follow, and for agents at all, in ms. */
const WAIT = { settleMs: 500, maxMs: 2000 } as const;
/** The same over a store that was lost or is an older copy: an agent dials twice in it. */
const WAIT_LOST = { settleMs: 5000, maxMs: 15_000 } as const;
/** An agent that said hello is waited for so long: its report is on its way, in ms. */
const REPORT_MS_MAX = 5000;

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
  /** Whether others know of something that the store has not: agents alone know it then. */
  readonly isStoreOlder: boolean;
}): number {
  const { nowMs, openedMs, helloMs, named, agents, isStoreOlder } = at;
  const haveSpoken = [...named].every((name) => agents.get(name)?.report !== undefined);
  if (named.size > 0 && haveSpoken && !isStoreOlder) return 0;
  const { settleMs, maxMs } = isStoreOlder ? WAIT_LOST : WAIT;
  const isReporting = [...named].some((name) => {
    const view = agents.get(name);
    return view?.connected === true && view.report === undefined;
  });
  if (isReporting && !isStoreOlder) return Math.max(0, openedMs + REPORT_MS_MAX - nowMs);
  const settledMs = (helloMs ?? Number.POSITIVE_INFINITY) + settleMs;
  return Math.max(0, Math.min(settledMs, openedMs + maxMs) - nowMs);
}

/**
 * Whether others know of what the store does not: a status that we wrote has an address that is
 * nobody's by the store, or somebody else's, or agents run a lane that is not in it.
 */
export function isStoreBehind(
  { leases, lanes }: Pick<World, "leases" | "lanes">,
  { claims, agents }: Pick<ClusterState, "claims" | "agents">,
): boolean {
  for (const { value: claim } of claims.values()) {
    const known = (claim.statusAddresses ?? []).map((address) => leases.get(address));
    if (known.some((row) => !isOf(row, claim.id))) return true;
  }
  const ran = [...agents.values()].flatMap(({ report }) => report?.lanes ?? []);
  const stored = new Set(Array.from(lanes.keys(), laneName));
  return ran.some(({ name }) => !stored.has(name));
}

function isOf(row: LeasedAddress | undefined, id: ClaimId): boolean {
  return row?.lastClaim === id || row?.owners.some(({ claim }) => claim === id) === true;
}

/**
 * The world of a leader's first plan. An address that somebody holds outside of its lane, and
 * nobody in it, changed lanes since a copy of the store was taken that was put back: it has none
 * here, and goes on in the lane that it rides in.
 */
export function firstWorldOf(...known: Parameters<typeof worldOf>): World {
  const world = worldOf(...known);
  const strays = new Map<Address, LeasedAddress>();
  for (const [address, holders] of holdersIn(world)) {
    const row = world.leases.get(address);
    if (row?.placement.kind !== "lane" || row.owners.length === 0) continue;
    const order = world.lanes.get(row.placement.lane)?.order ?? [];
    if (holders.some((agent) => order.includes(agent))) continue;
    strays.set(address, { ...row, placement: { kind: "unplaced" } });
  }
  return strays.size === 0 ? world : { ...world, leases: patchMap(world.leases, strays) };
}

/** By address, who holds it by the last word of each agent that was not declared gone. */
function holdersIn(world: World): ReadonlyMap<Address, readonly AgentName[]> {
  const forgotten = forgottenAgents(world);
  const holders = new Map<Address, AgentName[]>();
  for (const { name, heldSinceMs } of world.agents.values()) {
    if (forgotten.has(name)) continue;
    for (const address of heldSinceMs.keys()) {
      holders.set(address, [...(holders.get(address) ?? []), name]);
    }
  }
  return holders;
}
