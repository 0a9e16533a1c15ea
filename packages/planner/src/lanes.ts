// Lanes as they are kept: who holds them by the reports, who was declared gone, who may be added
// behind the others. Given stored lanes; never reorders one but for a stored move, and never takes
// an agent out of one but on an operator's word.

import {
  type AgentName,
  type Intent,
  LANE_AGENTS_MAX,
  LANES_MAX,
  type Lane,
  type LaneId,
  ROUTER_ID_MAX,
  type ResourceName,
  type World,
  compareText,
  hashPair,
  hashText,
  laneId,
  laneName,
} from "@fairlead/model";

import { findLanes } from "./found-lanes.ts";
import type { SegmentView } from "./segments.ts";
import { strangeRouterIds } from "./strange-routers.ts";

/** What keeping lanes needs to know. */
export interface KeepOptions {
  readonly world: World;
  readonly forgotten: ReadonlySet<AgentName>;
  /** Agents that may be appended to the lane, in any order. */
  readonly candidatesOf: (lane: Lane) => readonly AgentName[];
}

/**
 * The stored lanes as they are now, without those that have lost all their agents. Unchanged ones
 * stay the same objects.
 */
export function keepLanes(options: KeepOptions): Map<LaneId, Lane> {
  const holders = reportedHolders(options.world);
  const kept = new Map<LaneId, Lane>();
  for (const lane of options.world.lanes.values()) {
    const isHeld = holders.has(laneName(lane.id));
    const order = keptOrder(options, lane, isHeld);
    if (order.length === 0) continue;
    const holder = holderOf(lane, holders.get(laneName(lane.id)) ?? []);
    const settled = lane.settled || isHeld;
    const isSame =
      isSameOrder(order, lane.order) && holder === lane.holder && settled === lane.settled;
    kept.set(lane.id, isSame ? lane : withOrder(lane, order, { holder, settled }));
  }
  return kept;
}

/** Makes a lane of this order; undefined when the segment has no room for one. */
export function openLane(
  world: World,
  segment: SegmentView,
  lanes: ReadonlyMap<LaneId, Lane>,
  order: readonly AgentName[],
): Lane | undefined {
  const strange = strangeRouterIds(world, segment);
  const networks = new Set([segment.name, ...segment.networks.map((network) => network.text)]);
  const used = new Set<number>();
  // What agents run with that number speaks there, whether the store knows of it or not.
  for (const lane of [...lanes.values(), ...findLanes(world).values()]) {
    if (networks.has(lane.segment)) used.add(lane.routerId);
  }
  if (used.size >= LANES_MAX) return undefined;
  for (let routerId = 1; routerId <= ROUTER_ID_MAX; routerId++) {
    if (strange.has(routerId)) continue;
    if (used.has(routerId) || world.settings.reservedRouterIds.includes(routerId)) continue;
    const id = laneId(segment.name, routerId);
    return { id, segment: segment.name, routerId, order, settled: false };
  }
  return undefined;
}

/** The move that an operator asked of this lane and that can be done: the oldest, by id. */
export function moveOf(world: World, lane: Lane): Extract<Intent, { kind: "move" }> | undefined {
  return world.intents
    .filter((intent) => intent.kind === "move")
    .filter((intent) => intent.lane === lane.id && lane.order.includes(intent.to))
    .sort((a, b) => a.sinceMs - b.sinceMs || compareText(a.id, b.id))[0];
}

function keptOrder(
  { world, forgotten, candidatesOf }: KeepOptions,
  lane: Lane,
  isHeld: boolean,
): readonly AgentName[] {
  const living = lane.order.filter((agent) => !forgotten.has(agent));
  const target = moveOf(world, { ...lane, order: living })?.to;
  const ordered =
    target === undefined ? living : [target, ...living.filter((agent) => agent !== target)];
  if (ordered.length >= LANE_AGENTS_MAX) return ordered;
  // Who holds it has to hear of a newcomer: else it goes on speaking to the others alone, and the
  // newcomer, which hears nothing, holds it a second time.
  const isTold = isHeld || ordered.every((agent) => world.agents.get(agent)?.connected === true);
  if (!isTold) return ordered;
  const seed = hashText(lane.id);
  const joining = candidatesOf(lane)
    .filter((agent) => !ordered.includes(agent))
    .map((agent) => ({ agent, score: hashPair(seed, hashText(agent)) }))
    .sort((a, b) => b.score - a.score || compareText(a.agent, b.agent))
    .map(({ agent }) => agent);
  return [...ordered, ...joining].slice(0, LANE_AGENTS_MAX);
}

/** By lane resource, the connected agents that report holding it, sorted. */
function reportedHolders(world: World): ReadonlyMap<ResourceName, readonly AgentName[]> {
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

/** Of several that say so, the one that was known to hold it goes on being named. */
function holderOf(lane: Lane, reported: readonly AgentName[]): AgentName | undefined {
  if (lane.holder !== undefined && reported.includes(lane.holder)) return lane.holder;
  return reported[0] ?? lane.holder;
}

function isSameOrder(a: readonly AgentName[], b: readonly AgentName[]): boolean {
  return a.length === b.length && a.every((agent, i) => agent === b[i]);
}

function withOrder(
  lane: Lane,
  order: readonly AgentName[],
  { holder, settled }: { readonly holder: AgentName | undefined; readonly settled: boolean },
): Lane {
  const { id, segment, routerId, peers } = lane;
  const spoken = peers === undefined ? {} : { peers };
  const named = holder === undefined || !order.includes(holder) ? {} : { holder };
  return { id, segment, routerId, order, ...spoken, ...named, settled };
}
