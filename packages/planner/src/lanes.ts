// Lanes as they are kept: who holds them by the reports, who was declared gone, who may be added
// behind the others. Given stored lanes; it never takes an agent out of one but on an operator's
// word, and leaves their order to the ranking.

import {
  type Address,
  type AgentName,
  LANE_AGENTS_MAX,
  LANES_MAX,
  type Lane,
  type LaneId,
  type LeasedAddress,
  ROUTER_ID_MAX,
  type World,
  compareText,
  hashPair,
  hashText,
  laneId,
  laneName,
} from "@fairlead/model";

import { findLanes } from "./found-lanes.ts";
import { holderOf, reportedHolders } from "./lane-holders.ts";
import { type LaneMove, rankLane } from "./rank.ts";
import { type SegmentView, isInSegment } from "./segments.ts";
import { strangeRouterIds } from "./strange-routers.ts";
import { willOf } from "./will.ts";
import { yieldingOf } from "./yielding.ts";

/** What keeping lanes needs to know. */
export interface KeepOptions {
  readonly world: World;
  readonly forgotten: ReadonlySet<AgentName>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  /** Agents that may join the lane of this order, in any order. */
  readonly candidatesOf: (lane: Lane) => readonly AgentName[];
}

/** Lanes, and which of them are to be held by somebody else. */
export interface KeptLanes {
  readonly lanes: Map<LaneId, Lane>;
  readonly moves: ReadonlyMap<LaneId, LaneMove>;
}

/**
 * The stored lanes as they are now, without those that have lost all their agents. Unchanged ones
 * stay the same objects.
 */
export function keepLanes(options: KeepOptions): KeptLanes {
  const { world } = options;
  const holders = reportedHolders(world);
  const will = willOf(world);
  const lanes = new Map<LaneId, Lane>();
  const moves = new Map<LaneId, LaneMove>();
  for (const lane of world.lanes.values()) {
    const isHeld = holders.has(laneName(lane.id));
    const members = keptMembers(options, lane, isHeld);
    if (members.length === 0) continue;
    const settled = lane.settled || isHeld;
    const known = { ...lane, order: members };
    const holder = holderOf(lane, holders);
    // Those who shall hold a new lane have begun to already.
    const { order, move } = settled
      ? rankLane({ world, will, lane: known, holder, isHeld })
      : { order: members };
    if (move !== undefined) moves.set(lane.id, move);
    const ranked = withOrder(lane, order, { holder, settled });
    const { rows } = options;
    const yielding = yieldingOf({ world, holders, rows, lane: ranked });
    const isSame =
      isSameOrder(order, lane.order) &&
      holder === lane.holder &&
      settled === lane.settled &&
      yielding === lane.yielding;
    lanes.set(lane.id, isSame ? lane : withYielding(ranked, yielding));
  }
  return { lanes, moves };
}

/** Makes a lane of this order; undefined when the segment has no room for one. */
export function openLane(
  world: World,
  segment: SegmentView,
  lanes: ReadonlyMap<LaneId, Lane>,
  order: readonly AgentName[],
): Lane | undefined {
  const isOurs = isInSegment(segment);
  const used = new Set<number>();
  // What agents run with that number speaks there, whether the store knows of it or not.
  for (const lane of [...lanes.values(), ...findLanes(world.agents.values()).values()]) {
    if (isOurs(lane)) used.add(lane.routerId);
  }
  if (used.size >= LANES_MAX) return undefined;
  const barred = new Set([
    ...used,
    ...world.settings.reservedRouterIds,
    ...strangeRouterIds(world, segment),
  ]);
  for (let routerId = 1; routerId <= ROUTER_ID_MAX; routerId++) {
    if (barred.has(routerId)) continue;
    const id = laneId(segment.name, routerId);
    return { id, segment: segment.name, routerId, order, settled: false };
  }
  return undefined;
}

/** The agents of the lane without those that are gone, and with those that join behind them. */
function keptMembers(
  { world, forgotten, candidatesOf }: KeepOptions,
  lane: Lane,
  isHeld: boolean,
): readonly AgentName[] {
  const ordered = lane.order.filter((agent) => !forgotten.has(agent));
  if (ordered.length >= LANE_AGENTS_MAX) return ordered;
  // Who holds it has to hear of a newcomer: else it goes on speaking to the others alone, and the
  // newcomer, which hears nothing, holds it a second time.
  const isTold = isHeld || ordered.every((agent) => world.agents.get(agent)?.connected === true);
  if (!isTold) return ordered;
  const seed = hashText(lane.id);
  const joining = candidatesOf({ ...lane, order: ordered })
    .map((agent) => ({ agent, score: hashPair(seed, hashText(agent)) }))
    .sort((a, b) => b.score - a.score || compareText(a.agent, b.agent))
    .map(({ agent }) => agent);
  return [...ordered, ...joining].slice(0, LANE_AGENTS_MAX);
}

function isSameOrder(a: readonly AgentName[], b: readonly AgentName[]): boolean {
  return a.length === b.length && a.every((agent, i) => agent === b[i]);
}

function withOrder(
  lane: Lane,
  order: readonly AgentName[],
  { holder, settled }: { readonly holder: AgentName | undefined; readonly settled: boolean },
): Lane {
  const { id, segment, routerId, peers, yielding } = lane;
  const spoken = peers === undefined ? {} : { peers };
  const named = holder === undefined || !order.includes(holder) ? {} : { holder };
  const told = yielding === undefined ? {} : { yielding };
  return { id, segment, routerId, order, ...spoken, ...named, ...told, settled };
}

function withYielding(lane: Lane, yielding: Lane["yielding"]): Lane {
  const { yielding: _, ...rest } = lane;
  return yielding === undefined ? rest : { ...rest, yielding };
}
