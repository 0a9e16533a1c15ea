// Lanes as agents run them: one resource for each agent of a lane that has a link in its segment.
// Who does not hear its holder listens and does not run it. Given lanes and segments; a resource
// that says the same stays the same object.

import {
  type AgentName,
  type Lane,
  type LaneId,
  type LaneResource,
  type Link,
  type World,
  changedKeys,
  laneName,
} from "@fairlead/model";

import { isAlike, keep } from "./alike.ts";
import type { CarrierRule } from "./candidates.ts";
import type { VipPlace } from "./carried.ts";
import { canTell } from "./hearing.ts";
import { type JoinOptions, createSentTo, waitingAgents } from "./joining.ts";
import type { LeaseRows } from "./lease-rows.ts";
import { firstIn } from "./new-lanes.ts";
import type { LaneMove } from "./rank.ts";
import { type SegmentMap, linkIn } from "./segments.ts";
import { keepMap } from "./touched.ts";

/** By lane, its resource on each agent that can run it. */
export type LaneResources = ReadonlyMap<LaneId, ReadonlyMap<AgentName, LaneResource>>;

/** What lanes are run by. */
export interface RunLanesOptions extends Omit<JoinOptions, "sentTo"> {
  readonly segments: SegmentMap;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly rules: ReadonlyMap<LaneId, CarrierRule>;
  /** Lanes that are to be held by somebody else than now. */
  readonly moves: ReadonlyMap<LaneId, LaneMove>;
  readonly before: LaneResources | undefined;
}

/** Makes the resources of all lanes that carry something. */
export function runLanes(options: RunLanesOptions): LaneResources {
  const resources = new Map<LaneId, ReadonlyMap<AgentName, LaneResource>>();
  const joined = { ...options, sentTo: createSentTo(options) };
  for (const lane of options.lanes.values()) {
    if (!options.rules.has(lane.id)) continue;
    resources.set(lane.id, laneOn(joined, lane, options.before?.get(lane.id)));
  }
  return resources;
}

/** Agents that run the lane. */
export function runnersOf(
  resources: LaneResources | undefined,
  lane: LaneId,
): readonly AgentName[] {
  const found: AgentName[] = [];
  for (const [agent, { listens }] of resources?.get(lane) ?? []) {
    if (listens !== true) found.push(agent);
  }
  return found;
}

/** Agents whose plan has a VIP of this place. */
export function carriersOf(
  resources: LaneResources | undefined,
  place: VipPlace | undefined,
): readonly AgentName[] {
  if (place === undefined) return NO_AGENTS;
  return place.kind === "lane" ? runnersOf(resources, place.lane) : [place.agent];
}

const NO_AGENTS: readonly AgentName[] = [];

/** Whether the same agents run the lane in both. */
export function hasSameRunners(
  a: LaneResources | undefined,
  b: LaneResources,
  lane: LaneId,
): boolean {
  if (a?.get(lane) === b.get(lane)) return true;
  const before = runnersOf(a, lane);
  const now = runnersOf(b, lane);
  return before.length === now.length && now.every((agent) => before.includes(agent));
}

/** Lanes and their resources at one moment. */
export interface RunningLanes {
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly resources: LaneResources;
}

/** Touches every row of a lane that is another one now, or is run by others. */
export function touchLanes(
  rows: LeaseRows,
  before: RunningLanes | undefined,
  now: RunningLanes,
): void {
  const changed = new Set(changedKeys(before?.lanes ?? new Map<LaneId, Lane>(), now.lanes));
  for (const lane of now.lanes.keys()) {
    if (!hasSameRunners(before?.resources, now.resources, lane)) changed.add(lane);
  }
  if (changed.size === 0) return;
  for (const { address, placement } of rows.all.values()) {
    if (placement.kind === "lane" && changed.has(placement.lane)) {
      rows.touched.addresses.add(address);
    }
  }
}

/** Touches every row that an agent holds by itself, when its devices are others than before. */
export function touchHosts(
  rows: LeaseRows,
  before: World["agents"] | undefined,
  now: World["agents"],
): void {
  for (const [agent, addresses] of rows.hosts) {
    const links = now.get(agent)?.hello.links;
    if (before !== undefined && isAlike(before.get(agent)?.hello.links, links)) continue;
    for (const address of addresses) rows.touched.addresses.add(address);
  }
}

/** The lane on each known agent that has a link in its segment and is spoken to. */
function laneOn(
  options: RunLanesOptions & JoinOptions,
  lane: Lane,
  before: ReadonlyMap<AgentName, LaneResource> | undefined,
): ReadonlyMap<AgentName, LaneResource> {
  const { world, segments, rules, moves } = options;
  const segment = segments.byNetwork.get(lane.segment);
  const device = rules.get(lane.id)?.device;
  const links = new Map<AgentName, Link>();
  for (const agent of segment === undefined ? [] : lane.order) {
    const link = segment === undefined ? undefined : linkIn(segment, agent, device);
    if (link !== undefined) links.set(agent, link);
  }
  const order = lane.peers ?? [];
  const intentId = moves.get(lane.id)?.intentId;
  const losers = new Set(lane.yielding?.map((one) => one.agent));
  const shared = {
    kind: "lane",
    name: laneName(lane.id),
    lane: lane.id,
    segment: lane.segment,
    routerId: lane.routerId,
  } as const;
  // Whoever is to hold a new lane is listened for from the start.
  const holder = lane.settled
    ? lane.holder
    : firstIn(options, lane, (agent) => links.has(agent))[0];
  const next = new Map<AgentName, LaneResource>();
  for (const { agent } of order) {
    const link = links.get(agent);
    if (link === undefined) continue;
    const resource: LaneResource = {
      ...shared,
      link: link.name,
      order,
      ...(holder === undefined ? {} : { holder }),
      preempt: !lane.settled || intentId !== undefined,
      ...(intentId === undefined ? {} : { intentId }),
      ...(losers.has(agent) ? { yields: true } : {}),
      advertIntervalMs: world.settings.advertIntervalMs,
    };
    next.set(agent, keep(before?.get(agent), resource));
  }
  for (const agent of waitingAgents(options, lane, next)) {
    const resource = next.get(agent);
    next.delete(agent);
    if (resource === undefined || !canTell(world.agents.get(agent))) continue;
    next.set(agent, keep(before?.get(agent), { ...resource, listens: true }));
  }
  return keepMap(before, next);
}
