// Router ids that other hosts than ours use on a segment. Given what connected agents hear; a
// source that is an agent's own address, or where a lane's agent was last known to speak from, is
// one of ours.

import {
  type Address,
  type AgentName,
  type Finding,
  type HeardRouter,
  type Lane,
  type World,
  compareText,
} from "@fairlead/model";

import type { SegmentMap, SegmentView } from "./segments.ts";

/** Ids that new lanes of the segment keep clear of. */
export function strangeRouterIds(world: World, segment: SegmentView): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const { heard } of heardIn(world, segment)) ids.add(heard.routerId);
  return ids;
}

/** Lanes whose id a stranger uses, each told by every agent that hears it. Sorted by agent. */
export function findStrangeRouters(
  world: World,
  segments: SegmentMap,
  lanes: Iterable<Lane>,
): readonly Finding[] {
  const bySegment = new Map<SegmentView, Map<number, Lane>>();
  for (const lane of lanes) {
    const segment = segments.byNetwork.get(lane.segment);
    if (segment === undefined) continue;
    const known = bySegment.get(segment) ?? new Map<number, Lane>();
    bySegment.set(segment, known.set(lane.routerId, lane));
  }
  const found: Finding[] = [];
  for (const [segment, byId] of bySegment) {
    for (const { agent, heard } of heardIn(world, segment)) {
      const lane = byId.get(heard.routerId);
      if (lane === undefined) continue;
      const { source, link, routerId } = heard;
      const detail = `${source} speaks VRRP on ${link} with router id ${routerId} of lane ${lane.id}`;
      found.push({ subject: "agent", name: agent, reason: "RouterIdHeard", detail });
    }
  }
  return found.sort((a, b) => compareText(a.name, b.name) || compareText(a.detail, b.detail));
}

interface Heard {
  readonly agent: AgentName;
  readonly heard: HeardRouter;
}

function heardIn(world: World, segment: SegmentView): readonly Heard[] {
  let ours: ReadonlySet<Address> | undefined;
  const found: Heard[] = [];
  for (const [agent, links] of segment.links) {
    const view = world.agents.get(agent);
    if (view?.connected !== true) continue;
    for (const heard of view.report?.heardRouters ?? []) {
      ours ??= ownSources(world);
      const isHere = links.some(({ name }) => name === heard.link);
      if (isHere && !ours.has(heard.source)) found.push({ agent, heard });
    }
  }
  return found;
}

function ownSources({ agents, lanes }: World): ReadonlySet<Address> {
  const ours = new Set<Address>();
  for (const { hello } of agents.values()) {
    for (const { prefixes } of hello.links) for (const { address } of prefixes) ours.add(address);
  }
  for (const { peers } of lanes.values()) for (const { address } of peers ?? []) ours.add(address);
  return ours;
}
