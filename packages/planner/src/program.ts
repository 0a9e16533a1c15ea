// Programming: what each agent must hold. Given lanes and what comes with each VIP; holder and
// successors get the same. An agent that is out of reach keeps its plan, for it goes on serving.
//
// Addresses of absent claims are named as retained for every agent that was sent them, so that
// whatever it has for them stays; nothing new is made of them.

import {
  type Address,
  type AgentName,
  type Lane,
  type LaneId,
  type LaneResource,
  type LeasedAddress,
  type Link,
  type NodePlan,
  type Resource,
  type ResourceName,
  type World,
  compareAddress,
  laneName,
} from "@fairlead/model";

import type { CarrierRule } from "./candidates.ts";
import type { Carried } from "./carried.ts";
import { moveOf } from "./lanes.ts";
import { hasAbsentOwner } from "./release.ts";
import { type SegmentMap, linkIn } from "./segments.ts";

/** What programming works on. */
export interface ProgramOptions {
  readonly world: World;
  readonly segments: SegmentMap;
  readonly forgotten: ReadonlySet<AgentName>;
  readonly rows: ReadonlyMap<Address, LeasedAddress>;
  readonly lanes: ReadonlyMap<LaneId, Lane>;
  readonly rules: ReadonlyMap<LaneId, CarrierRule>;
  readonly carried: ReadonlyMap<Address, Carried>;
  readonly before: Programmed | undefined;
}

/** Plans of all agents, with what is needed to change them next time. */
export interface Programmed {
  readonly nodePlans: ReadonlyMap<AgentName, NodePlan>;
  /** By lane, its resource on each agent that can run it. */
  readonly laneResources: ReadonlyMap<LaneId, ReadonlyMap<AgentName, LaneResource>>;
  readonly carried: ReadonlyMap<Address, Carried>;
}

/** Makes the plans; an agent for which nothing changed keeps the same plan object. */
export function program(options: ProgramOptions): Programmed {
  const { world, lanes, carried, before } = options;
  const laneResources = new Map<LaneId, ReadonlyMap<AgentName, LaneResource>>();
  for (const lane of lanes.values()) {
    laneResources.set(lane.id, laneOn(options, lane, before?.laneResources.get(lane.id)));
  }
  const drafts = createDrafts(world, before?.nodePlans);
  changeLanes(drafts, before?.laneResources ?? NO_LANES, laneResources);
  const next = { carried, laneResources };
  for (const [address, old] of before?.carried ?? NO_CARRIED) {
    const now = carried.get(address);
    if (old === now && hasSameAgents(before, next, old.lane)) continue;
    for (const agent of agentsOf(before, old.lane)) drafts.drop(agent, old.resources);
  }
  for (const [address, now] of carried) {
    const old = before?.carried.get(address);
    if (old === now && hasSameAgents(before, next, now.lane)) continue;
    for (const agent of agentsOf(next, now.lane)) drafts.add(agent, now.resources);
  }
  return { nodePlans: drafts.finish(retainedBy(options)), laneResources, carried };
}

/** Agents whose plan has the address. */
export function carriersOf(programmed: Programmed, address: Address): readonly AgentName[] {
  const lane = programmed.carried.get(address)?.lane;
  return lane === undefined ? NO_AGENTS : agentsOf(programmed, lane);
}

const NO_AGENTS: readonly AgentName[] = [];
const NO_LANES: Programmed["laneResources"] = new Map();
const NO_CARRIED: Programmed["carried"] = new Map();

type Carriers = Pick<Programmed, "laneResources">;

function agentsOf(from: Carriers | undefined, lane: LaneId): readonly AgentName[] {
  return [...(from?.laneResources.get(lane)?.keys() ?? [])];
}

function hasSameAgents(a: Carriers | undefined, b: Carriers, lane: LaneId): boolean {
  const before = a?.laneResources.get(lane);
  const now = b.laneResources.get(lane);
  if (before === now) return true;
  if (before === undefined || now === undefined || before.size !== now.size) return false;
  return [...now.keys()].every((agent) => before.has(agent));
}

function changeLanes(
  drafts: Drafts,
  before: Programmed["laneResources"],
  now: Programmed["laneResources"],
): void {
  for (const [id, old] of before) {
    for (const [agent, resource] of old) {
      if (now.get(id)?.get(agent) !== resource) drafts.drop(agent, [resource]);
    }
  }
  for (const [id, resources] of now) {
    for (const [agent, resource] of resources) {
      if (before.get(id)?.get(agent) !== resource) drafts.add(agent, [resource]);
    }
  }
}

interface Drafts {
  drop(agent: AgentName, resources: readonly Resource[]): void;
  add(agent: AgentName, resources: readonly Resource[]): void;
  finish(retained: ReadonlyMap<AgentName, readonly Address[]>): ReadonlyMap<AgentName, NodePlan>;
}

/** Plans are copied when they first change, and only then. */
function createDrafts(world: World, before: Programmed["nodePlans"] | undefined): Drafts {
  const changed = new Map<AgentName, Map<ResourceName, Resource>>();
  const draftOf = (agent: AgentName): Map<ResourceName, Resource> => {
    const known = changed.get(agent);
    if (known !== undefined) return known;
    const draft = new Map(before?.get(agent)?.resources);
    changed.set(agent, draft);
    return draft;
  };
  return {
    drop: (agent, resources) => {
      const draft = draftOf(agent);
      for (const resource of resources) draft.delete(resource.name);
    },
    add: (agent, resources) => {
      const draft = draftOf(agent);
      for (const resource of resources) draft.set(resource.name, resource);
    },
    finish: (retained) => {
      const plans = new Map<AgentName, NodePlan>();
      for (const agent of world.agents.keys()) {
        const old = before?.get(agent);
        const kept = retained.get(agent) ?? NONE_RETAINED;
        const isRetainedSame = old !== undefined && isSameList(old.retained, kept);
        const resources = changed.get(agent) ?? old?.resources ?? new Map();
        const isSame = isRetainedSame && resources === old.resources;
        plans.set(agent, isSame ? old : { agent, resources, retained: kept });
      }
      return plans;
    },
  };
}

const NONE_RETAINED: readonly Address[] = [];

function isSameList(a: readonly Address[], b: readonly Address[]): boolean {
  return a.length === b.length && a.every((address, i) => address === b[i]);
}

function retainedBy({
  world,
  rows,
  forgotten,
}: ProgramOptions): ReadonlyMap<AgentName, readonly Address[]> {
  const retained = new Map<AgentName, Address[]>();
  if (world.absent.size === 0) return retained;
  for (const row of rows.values()) {
    for (const agent of hasAbsentOwner(world, row) ? row.sentTo : []) {
      if (forgotten.has(agent)) continue;
      const known = retained.get(agent);
      if (known === undefined) retained.set(agent, [row.address]);
      else known.push(row.address);
    }
  }
  for (const addresses of retained.values()) addresses.sort(compareAddress);
  return retained;
}

/** The lane on each known agent that has a link in its segment. */
function laneOn(
  { world, segments, rules }: ProgramOptions,
  lane: Lane,
  before: ReadonlyMap<AgentName, LaneResource> | undefined,
): ReadonlyMap<AgentName, LaneResource> {
  const segment = segments.byNetwork.get(lane.segment);
  const device = rules.get(lane.id)?.device;
  const links = new Map<AgentName, Link>();
  for (const agent of segment === undefined ? [] : lane.order) {
    const link = segment === undefined ? undefined : linkIn(segment, agent, device);
    if (link !== undefined) links.set(agent, link);
  }
  const order = lane.peers ?? [];
  const intentId = moveOf(world, lane)?.id;
  const shared = {
    kind: "lane",
    name: laneName(lane.id),
    lane: lane.id,
    segment: lane.segment,
    routerId: lane.routerId,
  } as const;
  const next = new Map<AgentName, LaneResource>();
  const carrying = order.filter(({ agent }) => links.has(agent));
  let isSame = before?.size === carrying.length;
  for (const { agent } of carrying) {
    const link = links.get(agent);
    if (link === undefined) continue;
    const resource: LaneResource = {
      ...shared,
      link: link.name,
      order,
      ...(lane.holder === undefined ? {} : { holder: lane.holder }),
      preempt: !lane.settled || intentId !== undefined,
      ...(intentId === undefined ? {} : { intentId }),
      advertIntervalMs: world.settings.advertIntervalMs,
    };
    const known = before?.get(agent);
    const isKnown = known !== undefined && JSON.stringify(known) === JSON.stringify(resource);
    if (!isKnown) isSame = false;
    next.set(agent, isKnown ? known : resource);
  }
  return isSame && before !== undefined ? before : next;
}
